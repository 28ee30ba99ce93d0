/** The packages for the databases that DAL itself brings drivers for, by scheme without its colon. */
export const KNOWN_PACKAGES: Readonly<Record<string, string>> = {
  postgres: '@dal/postgres',
  postgresql: '@dal/postgres',
  mysql: '@dal/mysql',
  mariadb: '@dal/mysql',
  sqlite: '@dal/sqlite',
  file: '@dal/sqlite',
};

const MONGODB =
  'MongoDB does not speak SQL, and DAL is a layer for SQL databases. loadConfig() reads its address; give that to the "mongodb" package.';

/** Schemes that people bring along, and what to say to them. */
export const STRANGERS: Readonly<Record<string, string>> = {
  mongodb: MONGODB,
  'mongodb+srv': MONGODB,
  redis: 'Redis does not speak SQL, and DAL is a layer for SQL databases.',
  rediss: 'Redis does not speak SQL, and DAL is a layer for SQL databases.',
  jdbc: 'Leave out "jdbc:", and write user and password in front of the host: "mysql://user:password@host/database".',
  http: 'Give the address of the database itself, not of a web page in front of it.',
  https: 'Give the address of the database itself, not of a web page in front of it.',
};
