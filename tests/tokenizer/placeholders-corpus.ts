/** A statement whose answer shows how the server itself reads its quotes, comments and marks. */
export interface CorpusEntry {
  readonly engines: readonly ('postgres' | 'mysql' | 'mariadb' | 'sqlite')[];
  readonly text: string;
  readonly values: readonly (string | number)[];
  /** The first column of the only row, as text. */
  readonly expected: string;
}

const all = ['postgres', 'mysql', 'mariadb', 'sqlite'] as const;
const postgres = ['postgres'] as const;
const mysqls = ['mysql', 'mariadb'] as const;
const sqlite = ['sqlite'] as const;

export const corpus: readonly CorpusEntry[] = [
  // Every engine
  entry(all, "SELECT 'a?' FROM (SELECT 1 AS n) t WHERE n = ?", [1], 'a?'),
  entry(all, "SELECT 'it''s ?' FROM (SELECT 1 AS n) t WHERE n = ?", [1], "it's ?"),
  entry(all, "SELECT '??' FROM (SELECT 1 AS n) t WHERE n = ?", [1], '??'),
  entry(all, "SELECT '' FROM (SELECT 1 AS n) t WHERE n = ?", [1], ''),
  entry(all, 'SELECT 7 /* ? */ FROM (SELECT 1 AS n) t WHERE n = ?', [1], '7'),
  entry(all, 'SELECT 7 -- ?\nFROM (SELECT 1 AS n) t WHERE n = ?', [1], '7'),
  entry(all, "SELECT 7 /* ' */ FROM (SELECT 1 AS n) t WHERE n = ? -- '", [1], '7'),
  entry(all, "SELECT '/*' FROM (SELECT 1 AS n) t WHERE n = ? /* ' */", [1], '/*'),
  entry(all, "SELECT '--' FROM (SELECT 1 AS n) t WHERE n = ?", [1], '--'),
  entry(all, 'SELECT /*/ ? */ n FROM (SELECT 1 AS n) t WHERE n = ?', [1], '1'),
  entry(all, 'SELECT /***/ n FROM (SELECT 1 AS n) t WHERE n = ?', [1], '1'),
  entry(all, 'SELECT n FROM (SELECT 1 AS n UNION SELECT 2) t WHERE n>?and n<?', [1, 3], '2'),
  entry(all, 'SELECT n FROM (SELECT 1 AS n UNION SELECT 2) t ORDER BY n LIMIT?', [1], '1'),
  entry(all, "SELECT '😀?' FROM (SELECT 1 AS n) t WHERE n = ?", [1], '😀?'),
  entry(all, 'SELECT n é FROM (SELECT 1 AS n) t WHERE n = ?', [1], '1'),

  // PostgreSQL: strings
  entry(postgres, "SELECT '\\' || ?::text", ['x'], '\\x'),
  entry(postgres, "SELECT E'\\'?' || ?::text", ['x'], "'?x"),
  entry(postgres, "SELECT e'\\\\' || ?::text", ['x'], '\\x'),
  entry(postgres, "SELECT E'a'\n'\\'?' || ?::text", ['x'], "a'?x"),
  entry(postgres, "SELECT E'a' -- it's\n '\\'?' || ?::text", ['x'], "a'?x"),
  entry(postgres, "SELECT 'a'\n'\\' || ?::text", ['x'], 'a\\x'),
  entry(postgres, "SELECT U&'\\0061?' || ?::text", ['x'], 'a?x'),
  entry(postgres, "SELECT B'1' || ?::bit", ['1'], '11'),
  entry(postgres, "SELECT name '?\\' || ?::text", ['x'], '?\\x'),
  entry(postgres, "SELECT name'?\\' || ?::text", ['x'], '?\\x'),
  entry(postgres, "SELECT date'2020-01-02' - ?::int || ''", [1], '2020-01-01'),
  // PostgreSQL: dollar quotes
  entry(postgres, 'SELECT $$?$$ || ?::text', ['x'], '?x'),
  entry(postgres, "SELECT $$it's ?$$ || ?::text", ['x'], "it's ?x"),
  entry(postgres, 'SELECT $a$?$$?$b$?$a$ || ?::text', ['x'], '?$$?$b$?x'),
  entry(postgres, 'SELECT $é$?$é$ || ?::text', ['x'], '?x'),
  entry(postgres, 'SELECT $_1$?$_1$ || ?::text', ['x'], '?x'),
  entry(postgres, "SELECT $e$?$e$||E'\\'?' || ?::text", ['x'], "?'?x"),
  entry(postgres, 'SELECT $$$?$$ || ?::text', ['x'], '$?x'),
  entry(postgres, 'SELECT a$b$ || ?::text FROM (SELECT 1 AS a$b$) t', ['x'], '1x'),
  entry(postgres, 'SELECT é$b$ || ?::text FROM (SELECT 1 AS é$b$) t', ['x'], '1x'),
  // PostgreSQL: comments, identifiers
  entry(postgres, 'SELECT /* ? /* ? */ ? */ ?::text', ['x'], 'x'),
  entry(postgres, 'SELECT /*/* ? */*/ ?::text', ['x'], 'x'),
  entry(postgres, 'SELECT 1 --?\r + ?::int', [2], '3'),
  entry(postgres, 'SELECT 1 -/* ? */ ?::int', [2], '-1'),
  entry(postgres, 'SELECT 5--?\n', [], '5'),
  entry(postgres, 'SELECT "a?""b" || ?::text FROM (SELECT 1 AS "a?""b") t', ['x'], '1x'),
  entry(postgres, 'SELECT u&"\\0061?" || ?::text FROM (SELECT 1 AS "a?") t', ['x'], '1x'),
  entry(postgres, 'SELECT (ARRAY[10, 20])[?]', [2], '20'),
  entry(postgres, 'SELECT 6 # ?::int', [3], '5'),
  // PostgreSQL: operators with a question mark
  entry(postgres, `SELECT '{"a":1}'::jsonb ?? ?`, ['a'], 'true'),
  entry(postgres, `SELECT '{"a":1}'::jsonb ??| ARRAY[?, 'z']`, ['a'], 'true'),
  entry(postgres, `SELECT '{"a":1}'::jsonb ??& ARRAY[?, 'z']`, ['a'], 'false'),
  entry(postgres, `SELECT ?::jsonb ??'a'`, ['{"a":1}'], 'true'),
  entry(postgres, `SELECT ?::jsonb @?? '$.a ? (@ > 0)'`, ['{"a":1}'], 'true'),
  entry(postgres, `SELECT ?::jsonb #>> '{a,b}'`, ['{"a":{"b":"x"}}'], 'x'),
  entry(postgres, `SELECT (?::jsonb -> 'a' ->> ?)`, ['{"a":{"b":"x"}}', 'b'], 'x'),
  entry(
    postgres,
    'SELECT lseg(point(0,0),point(0,1)) ??-| lseg(point(0,0),point(?,0))',
    [1],
    'true',
  ),
  entry(postgres, `SELECT ?::text::varchar(1)`, ['xy'], 'x'),

  // MySQL and MariaDB
  entry(mysqls, "SELECT CONCAT('\\'?', ?)", ['x'], "'?x"),
  entry(mysqls, "SELECT CONCAT('\\\\', ?)", ['x'], '\\x'),
  entry(mysqls, 'SELECT CONCAT("\\"?", ?)', ['x'], '"?x'),
  entry(mysqls, 'SELECT CONCAT("a""?", ?)', ['x'], 'a"?x'),
  entry(mysqls, "SELECT CONCAT(_utf8mb4'\\'?', ?)", ['x'], "'?x"),
  entry(mysqls, "SELECT CONCAT(N'\\'?', ?)", ['x'], "'?x"),
  entry(mysqls, 'SELECT `a?``\\` + ? FROM (SELECT 1 AS `a?``\\`) t', [1], '2'),
  entry(mysqls, 'SELECT 5 # ?\n + ?', [1], '6'),
  entry(mysqls, 'SELECT 5 --\t?\n + ?', [1], '6'),
  entry(mysqls, 'SELECT 5--?', [1], '6'),
  entry(mysqls, 'SELECT 5---?', [1], '4'),
  entry(mysqls, 'SELECT 5 --', [], '5'),
  entry(mysqls, 'SELECT 5 -- ?\r + ?\n + ?', [1], '6'),
  entry(mysqls, 'SELECT 5 /*! + ? */ + ?', [1, 1], '7'),
  entry(mysqls, 'SELECT 5 /*!50000 + ? */ + ?', [1, 1], '7'),
  entry(mysqls, "SELECT CONCAT('a' /*! , '*/', ? */, ?)", ['b', 'c'], 'a*/bc'),
  entry(mysqls, 'SELECT /*+ MAX_EXECUTION_TIME(1000) ? */ ?', [1], '1'),
  entry(mysqls, 'SELECT a$1 + ? FROM (SELECT 1 AS a$1) t', [1], '2'),
  entry(mysqls, "SELECT JSON_EXTRACT('{\"a\":1}', '$.a') + ?", [1], '2'),
  entry(['mariadb'], 'SELECT 5 /*M! + ? */ + ?', [1, 1], '7'),

  // SQLite
  entry(sqlite, "SELECT '\\' || ?", ['x'], '\\x'),
  entry(sqlite, 'SELECT [a?] || ? FROM (SELECT 1 AS [a?])', ['x'], '1x'),
  entry(sqlite, 'SELECT `a?` || ? FROM (SELECT 1 AS `a?`)', ['x'], '1x'),
  entry(sqlite, 'SELECT "a?""" || ? FROM (SELECT 1 AS "a?""")', ['x'], '1x'),
  entry(sqlite, 'SELECT /* /* ? */ ?', ['x'], 'x'),
  entry(sqlite, 'SELECT 1 --?\r + ?\n + ?', [2], '3'),
  entry(sqlite, 'SELECT 5--?', [], '5'),
  entry(sqlite, 'SELECT ? /* open ?', ['x'], 'x'),
  entry(sqlite, `SELECT ? ->> '$.a'`, ['{"a":"x"}'], 'x'),
  entry(sqlite, "SELECT x'3f' = ? || ''", ['?'], '0'),
];

function entry(
  engines: CorpusEntry['engines'],
  text: string,
  values: CorpusEntry['values'],
  expected: string,
): CorpusEntry {
  return { engines, text, values, expected };
}
