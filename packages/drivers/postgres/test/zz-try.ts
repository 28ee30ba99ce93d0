import { readFileSync } from 'node:fs';
import { postgresDriver as d } from '@dal/postgres';
const url = JSON.parse(readFileSync('/tmp/engines.json','utf8')).find(e=>e.name==='postgres').url;
const o = d.configure!({url});
let lost: unknown[] = [];
const c = await d.connect(o, e => lost.push(e));
console.log(await c.version!());
console.log(await c.query({text:'select $1::int8 a, $2::timestamptz b, $3::bytea c, $4::int8[] d, $5::text[] e, $6::float8 f, $7::bool g, $8::jsonb h, $9::bytea[] i, $10::timestamptz[] j', values:[9007199254740993n, new Date('-000001-02-03T04:05:06.789Z'), Buffer.from([1,2,255]), [[1,2],[3,9007199254740993n]], ['a"b\\c', null, 'NULL','', '{},'], -0, true, '{"a":[1]}', [Buffer.from([0,92])], [new Date(0)]], name:'x1'}));
console.log(await c.query({text:`select '[0:1]={1,2}'::int[] a, 'infinity'::timestamptz b, 'NaN'::float8 c, '-Infinity'::float4 d, '12345678901234567890.123'::numeric e, '0044-03-15 BC'::date f, '12345-01-01'::timestamptz g, current_setting('TimeZone') tz, current_setting('DateStyle') ds, '2024-01-01 10:00:00.123456'::timestamp as ts, 1 as "__proto__"`, values:[]}));
for (const t of ['select 1; select 2', 'selec', 'copy (select 1) to stdout', 'create temp table if not exists t(a int unique)', 'copy t from stdin', 'insert into t values (1),(2)', 'insert into t values(1)', 'update t set a=a+10 returning a', 'begin', 'select 1/0', 'select 1', 'commit', 'begin', 'savepoint a', 'rollback', '']) {
  try { const r = await c.query({text:t, values:[], rowMode:'array'}); console.log(t, '=>', r.command, r.affectedRows, r.rows, c.status!()); }
  catch (e) { console.log(t, '=> ERR', e.message, c.status!(), d.classify(e)); }
}
// stale plan
await c.query({text:'create temp table sp(a int)', values:[]});
const q = {text:'select * from sp', values:[], name:'sp1'};
await c.query(q); await c.query({text:'alter table sp add b int', values:[]});
try { await c.query(q); } catch (e) { console.log(d.classify(e)); }
console.log((await c.query(q)).columns);
await c.query({text:'deallocate all', values:[]});
try { await c.query(q); } catch (e) { console.log(d.classify(e)); }
console.log((await c.query(q)).columns);
await c.reset!();
try { await c.query(q); } catch (e) { console.log(d.classify(e)); }
await c.ping!();
// stream
let n=0; for await (const b of c.stream!({text:'select generate_series(1,10500) g', values:[]}, 1000)) { n+=b.length; }
console.log('streamed', n, c.status!());
for await (const b of c.stream!({text:'select generate_series(1,10500) g', values:[]}, 1000)) { break; }
console.log((await c.query({text:'select 1 as a', values:[]})).rows);
try { for await (const b of c.stream!({text:'select 1/(500-g) from generate_series(1,10500) g', values:[]}, 100)) { } } catch (e) { console.log('stream err', e.message, c.status!()); }
await c.query({text:'create temp table df(a int unique deferrable initially deferred)', values:[]});
try { for await (const b of c.stream!({text:'insert into df values (1),(1) returning a', values:[]}, 100)) { } } catch (e) { console.log('stream err', e.message, c.status!()); }
try { await c.query({text:'insert into df values (1),(1) returning a', values:[]}) } catch (e) { console.log('err', e.message, c.status!()); }
// cancel
const p = c.query({text:'select pg_sleep(10)', values:[]}).catch(e=>e);
await new Promise(r=>setTimeout(r,100));
const t0=performance.now(); await c.cancel!(); const e = await p; console.log('cancel', performance.now()-t0, e.message, d.classify(e));
await c.close(); console.log('lost', lost);
try { await c.query({text:'select 1', values:[]}); } catch (e) { console.log(e.message); }
console.log(process.getActiveResourcesInfo());
