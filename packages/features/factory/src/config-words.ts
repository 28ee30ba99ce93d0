/** An option, and the words of environment variables that may give it; the first that is set counts. */
export type ConfigWords = Readonly<Record<string, readonly string[]>>;

/** How one engine's options are called in an environment. */
export interface ConfigExtractor {
  /** Behind a prefix: `ORDERS_DB_HOST` with the prefix `ORDERS_DB`. */
  readonly words: ConfigWords;
  /** Whole names, as the engine's own tools and container images have them. */
  readonly native: ConfigWords;
}

const address: ConfigWords = {
  url: ['URL', 'URI', 'DSN', 'CONNECTION_STRING'],
  host: ['HOST', 'HOSTNAME', 'SERVER'],
  port: ['PORT'],
  user: ['USER', 'USERNAME'],
  password: ['PASSWORD', 'PASS', 'PWD'],
  database: ['DATABASE', 'NAME', 'DBNAME', 'DB'],
};

const general: ConfigWords = {
  name: ['ALIAS'],
  driver: ['DRIVER', 'TYPE', 'ENGINE', 'DIALECT'],
};

const server: ConfigWords = { ...general, ...address, tls: ['TLS', 'SSLMODE', 'SSL_MODE', 'SSL'] };

function mysqlNames(brand: string): ConfigWords {
  return {
    url: [`${brand}_URL`],
    host: [`${brand}_HOST`],
    port: [`${brand}_TCP_PORT`, `${brand}_PORT`],
    socketPath: [`${brand}_UNIX_PORT`],
    user: [`${brand}_USER`],
    password: [`${brand}_PASSWORD`, `${brand}_PWD`],
    database: [`${brand}_DATABASE`],
  };
}

/** By the name of the engine. MongoDB's address is read, and that is all. */
export const EXTRACTORS: Readonly<Record<string, ConfigExtractor>> = {
  postgres: {
    words: server,
    native: {
      url: ['POSTGRES_URL', 'POSTGRESQL_URL'],
      host: ['PGHOST', 'POSTGRES_HOST'],
      port: ['PGPORT', 'POSTGRES_PORT'],
      user: ['PGUSER', 'POSTGRES_USER'],
      password: ['PGPASSWORD', 'POSTGRES_PASSWORD'],
      database: ['PGDATABASE', 'POSTGRES_DB'],
      tls: ['PGSSLMODE'],
      applicationName: ['PGAPPNAME'],
      options: ['PGOPTIONS'],
    },
  },
  mysql: { words: server, native: mysqlNames('MYSQL') },
  mariadb: { words: server, native: mysqlNames('MARIADB') },
  sqlite: {
    words: {
      ...general,
      url: ['URL', 'URI'],
      path: ['PATH', 'FILE', 'FILENAME', 'DATABASE', 'NAME'],
    },
    native: { url: ['SQLITE_URL'], path: ['SQLITE_PATH', 'SQLITE_FILE', 'SQLITE_DATABASE'] },
  },
  mongodb: {
    words: server,
    native: {
      url: ['MONGODB_URI', 'MONGODB_URL', 'MONGO_URI', 'MONGO_URL'],
      host: ['MONGODB_HOST', 'MONGO_HOST'],
      port: ['MONGODB_PORT', 'MONGO_PORT'],
      user: ['MONGODB_USER', 'MONGO_INITDB_ROOT_USERNAME'],
      password: ['MONGODB_PASSWORD', 'MONGO_INITDB_ROOT_PASSWORD'],
      database: ['MONGODB_DATABASE', 'MONGO_INITDB_DATABASE'],
    },
  },
};

/** For drivers of third parties. */
export const SERVER_WORDS: ConfigWords = server;

/** The engine that a driver's word or a scheme means, as it is called in `EXTRACTORS`. */
export function engineOf(word: string): string {
  const plain = word.toLowerCase().replace(/:$/, '');
  const other: Readonly<Record<string, string>> = {
    postgresql: 'postgres',
    file: 'sqlite',
    'mongodb+srv': 'mongodb',
  };
  return Object.hasOwn(other, plain) ? (other[plain] ?? plain) : plain;
}
