/** What one operation did, as far as its caller was told. */
export type Told = 'acknowledged' | 'nothing' | 'unknown';

/** A way to use a database; the campaign is the same for all. */
export interface Client {
  /** One ledger row and one more on an account's balance, together or not at all. */
  transfer(op: string, account: number, timeoutMs: number): Promise<Told>;
  /** One ledger row by itself. */
  note(op: string, timeoutMs: number): Promise<Told>;
  /** Rows whose number and content are known; false when the answer is wrong. */
  read(count: number, timeoutMs: number): Promise<boolean>;
  /** Must end within `timeoutMs`, whatever the state. */
  close(timeoutMs: number): Promise<void>;
}

export const LEDGER_INSERT = 'INSERT INTO chaos_ledger (op, kind) VALUES (?, ?)';
export const BALANCE_UPDATE = 'UPDATE chaos_accounts SET balance = balance + 1 WHERE id = ?';
export const FIXED_ROWS = 'SELECT id, word FROM chaos_words WHERE id <= ? ORDER BY id';

/** Whether an answer to `FIXED_ROWS` has all its rows, and each the right word. */
export function isWhole(rows: readonly Record<string, unknown>[], count: number): boolean {
  return (
    rows.length === count &&
    rows.every((row, index) => row['id'] === index + 1 && row['word'] === wordOf(index + 1))
  );
}

export function wordOf(id: number): string {
  return `word ${id} `.repeat(8);
}
