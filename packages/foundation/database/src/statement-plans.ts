import {
  type Dialect,
  firstKeyword,
  type TagFormat,
  tagComment,
  type Tags,
  toNative,
} from '@dal/core';

/** What depends on a statement's text alone; made once for each text. */
export interface StatementPlan {
  /** In the engine's words, with the database's tags. */
  readonly text: string;
  /** Without any tags. */
  readonly bare: string;
  /** How many values it takes; undefined when the text brought its own placeholders. */
  readonly count: number | undefined;
  /** The first word in capitals. */
  readonly operation: string;
  /** It changes something in the session that the next borrower must not see. */
  readonly touchesSession: boolean;
  /** Under which a driver may prepare it; undefined until the text has come a second time. */
  name: string | undefined;
  seen: number;
}

/** Texts beyond are compiled anew each time; the texts of a program are far fewer. */
const MAX_PLANS = 2_000;
const MAX_TEXT = 32_768;
/** Longer texts are not prepared: most of them are made by a loop and never come again. */
const MAX_PREPARED_TEXT = 15_360;

/** Names are numbered for the whole process: a pooler may show one server many of our databases. */
let named = 0;

/** The plans of one database. */
export class StatementPlans {
  readonly dialect: Dialect;
  readonly #tags: Tags | undefined;
  readonly #format: TagFormat;
  readonly #suffix: string;
  readonly #ofMarks = new Map<string, StatementPlan>();
  readonly #ofNative = new Map<string, StatementPlan>();

  constructor(dialect: Dialect, tags?: Tags, format: TagFormat = 'sqlcommenter') {
    this.dialect = dialect;
    this.#tags = tags;
    this.#format = format;
    this.#suffix = tagComment(tags, format);
  }

  /** For a text with `?`. @throws ConfigError */
  withMarks(text: string): StatementPlan {
    const known = this.#ofMarks.get(text);
    if (known !== undefined) return known;
    const native = toNative(text, this.dialect);
    return keep(this.#ofMarks, text, this.#make(native.text, native.operation, native.count));
  }

  /** For a text that is the engine's own. */
  native(text: string, operation?: string): StatementPlan {
    const known = this.#ofNative.get(text);
    if (known !== undefined) return known;
    const first = operation ?? firstKeyword(text, this.dialect.lexis);
    return keep(this.#ofNative, text, this.#make(text, first, undefined));
  }

  /** The text with tags of this call beside those of the database. */
  tagged(plan: StatementPlan, tags: Tags): string {
    return plan.bare + tagComment({ ...this.#tags, ...tags }, this.#format);
  }

  #make(bare: string, operation: string, count: number | undefined): StatementPlan {
    return {
      text: bare + this.#suffix,
      bare,
      count,
      operation,
      touchesSession: changesSession(bare, operation),
      name: undefined,
      seen: 0,
    };
  }
}

/**
 * The name to prepare a statement under. A text that comes only once is not worth it: it would cost
 * the server memory and push out another.
 */
export function nameOf(plan: StatementPlan): string | undefined {
  if (plan.name !== undefined || plan.seen > 1) return plan.name;
  plan.seen += 1;
  if (plan.seen > 1 && preparable.has(plan.operation) && plan.text.length <= MAX_PREPARED_TEXT) {
    plan.name = `dal_${++named}`;
  }
  return plan.name;
}

function keep(plans: Map<string, StatementPlan>, text: string, plan: StatementPlan): StatementPlan {
  if (text.length <= MAX_TEXT) {
    // The oldest goes: a program that makes texts without end must not grow for ever.
    if (plans.size >= MAX_PLANS)
      for (const oldest of plans.keys()) {
        plans.delete(oldest);
        break;
      }
    plans.set(text, plan);
  }
  return plan;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const preparable = words('SELECT INSERT UPDATE DELETE WITH VALUES REPLACE MERGE TABLE');
const ordinary = words(
  'SELECT INSERT UPDATE DELETE WITH VALUES REPLACE MERGE EXPLAIN BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE END ALTER DROP TRUNCATE ANALYZE SHOW TABLE',
);
const temporary = /\bTEMP(?:ORARY)?\b/i;
const bySelect = /\b(?:set_config|pg_(?:try_)?advisory_lock\w*|get_lock|into\s+temp)\b|@\w+\s*:=/i;

/** Errs on the side of a reset that wasn't needed. */
function changesSession(text: string, operation: string): boolean {
  if (operation === 'CREATE') return temporary.test(text);
  return !ordinary.has(operation) || bySelect.test(text);
}
