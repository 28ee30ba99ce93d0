/** Waits for work, but no longer than `ms`; never rejects. */
export async function within(
  ms: number,
  work: Promise<unknown>,
): Promise<'done' | 'failed' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
  });
  const done = work.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
