import type { DalError } from '@dal/core';
import { attributeNames, OTHER_ERROR } from './names.ts';
import type { Attributes } from './open-telemetry.ts';

/** What failed, in few words: these are labels of metrics too. */
export function errorAttributes({ code, fault }: DalError): Attributes {
  const status = statusOf(fault?.code);
  const type = status ?? typeOf(code);
  return {
    [attributeNames.errorType]: type,
    ...(status === undefined ? {} : { [attributeNames.statusCode]: status }),
  };
}

/** SQLSTATE, a number of MySQL or MariaDB, a name of SQLite: what a server says, and not the line to it. */
const STATUS = /^(?:(?=.*\d)[0-9A-Z]{5}|\d{1,6}|SQLITE_[A-Z_]{1,60})$/;

function statusOf(code: string | undefined): string | undefined {
  return code !== undefined && STATUS.test(code) ? code : undefined;
}

const CODE = /^DAL_([A-Z_]{1,60})$/;

function typeOf(code: string): string {
  if (code === 'DAL_STATEMENT_TIMEOUT') return 'timeout';
  return CODE.exec(code)?.[1]?.toLowerCase() ?? OTHER_ERROR;
}
