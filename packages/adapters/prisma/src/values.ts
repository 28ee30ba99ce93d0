import type { StatementOptions } from '@dal/core';
import type { ArgType } from './driver-adapter.ts';

export const STATEMENT: StatementOptions = { placeholders: 'native', rowMode: 'array' };

/** A parameter for PostgreSQL and MySQL; moments as texts in UTC, as they are in Prisma's columns. */
export function argument(value: unknown, type: ArgType): unknown {
  if (Array.isArray(value) && type.arity === 'list') {
    return value.map((item) => argument(item, type));
  }
  if (type.scalarType === 'datetime' && (typeof value === 'string' || value instanceof Date)) {
    return momentText(new Date(value), type.dbType);
  }
  if (value instanceof Date) return momentText(value, type.dbType);
  if (type.scalarType === 'bytes' && typeof value === 'string') return Buffer.from(value, 'base64');
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}

function momentText(date: Date, dbType: string | undefined): string {
  const [day, rest] = date.toISOString().slice(0, -1).split('T') as [string, string];
  const time = rest.replace(/\.000$/, '');
  switch (dbType) {
    case 'DATE':
    case 'NEWDATE':
      return day;
    case 'TIME':
    case 'TIME2':
    case 'TIMETZ':
      return time;
    default:
      return `${day} ${time}`;
  }
}
