import { type Incident, over } from './incident.ts';

export const leak: Incident = {
  words: 'a connection is taken and not given back',
  async run({ open, signal }) {
    await using db = await open({ name: 'incident: leak', pool: { max: 3 } });
    await using connection = await db.acquire({ signal });
    await connection.query('SELECT 1');
    await over(signal);
  },
};
