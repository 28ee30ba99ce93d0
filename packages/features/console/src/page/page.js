// Everything that comes from a database is put in as text, never as markup. Elements stay the same
// from one second to the next, so that the focus and what is folded open stay where they are.
(() => {
  'use strict';
  const base = location.pathname.replace(/\/*$/, '/');
  const token = document.querySelector('meta[name="dal-token"]').content;
  const byId = (id) => document.getElementById(id);
  const MOST_EVENTS = 200;

  const state = { events: new Map(), latest: undefined, paused: false, heardAt: 0, spoken: '' };

  // --- elements

  function make(tag, className, ...inside) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...inside);
    return element;
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function setData(element, name, value) {
    if (element.dataset[name] !== value) element.dataset[name] = value;
  }

  /** Makes the children of a list those of the items, each keeping its element for life. */
  function fill(list, items, keyOf, create, update) {
    const known = (list.known ??= new Map());
    const wanted = new Set(items.map(keyOf));
    const focused = document.activeElement;
    for (const [key, row] of known) {
      if (wanted.has(key)) continue;
      // Who is at the keyboard goes on from here, and not from the top of the page.
      if (row.element.contains(focused)) list.closest('section').focus({ preventScroll: true });
      row.element.remove();
      known.delete(key);
    }
    let place = list.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let row = known.get(key);
      if (row === undefined) known.set(key, (row = create(item)));
      update(row, item);
      if (row.element === place) place = place.nextElementSibling;
      else list.insertBefore(row.element, place);
    }
    // An element that is moved loses the focus.
    if (list.contains(focused) && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
    }
  }

  function svg(tag, attributes) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function fact(label) {
    const value = make('dd');
    return { element: make('div', '', make('dt', '', label), value), value };
  }

  function sql() {
    const text = make('span', 'sql');
    const folded = make('details', '', make('summary', '', text));
    return { element: folded, text };
  }

  // --- numbers

  const whole = new Intl.NumberFormat('en');
  const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

  function length(ms) {
    if (ms === undefined) return '-';
    if (ms < 10) return `${ms.toFixed(1)} ms`;
    if (ms < 1_000) return `${Math.round(ms)} ms`;
    if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
    const minutes = Math.floor(ms / 60_000);
    if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
    return `${whole.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
  }

  function clock(at) {
    return new Date(at).toLocaleTimeString('en-GB');
  }

  // --- verdict

  const LEVELS = { normal: 'Normal', mild: 'Mild', high: 'High', critical: 'Critical' };

  /** A cause that has an advice is more than normal, though nobody had to wait in vain yet. */
  function toneOf({ level, action }) {
    return level === 'normal' && action !== 'none' ? 'mild' : level;
  }

  function levelWord({ level, action }) {
    return level === 'normal' && action !== 'none' ? 'Look here' : (LEVELS[level] ?? level);
  }

  function showVerdict(verdict) {
    setData(byId('verdict'), 'level', toneOf(verdict));
    setText(byId('level'), levelWord(verdict));
    setText(byId('sentence'), verdict.sentence);
    setText(byId('advice'), verdict.advice);
    byId('numbers').hidden = verdict.evidence.length === 0;
    // The numbers change every second; who listens is told when the verdict does.
    const what = `${verdict.level} ${verdict.action}`;
    if (state.spoken !== what)
      setText(byId('spoken'), `${levelWord(verdict)}. ${verdict.sentence}`);
    state.spoken = what;
    const create = () => ({ element: make('li') });
    const lines = verdict.evidence.map((line, index) => ({ line, index }));
    fill(
      byId('evidence'),
      lines,
      ({ index }) => index,
      create,
      ({ element }, { line }) => setText(element, line),
    );
    document.title =
      toneOf(verdict) === 'normal' ? 'DAL console' : `${levelWord(verdict)} - DAL console`;
  }

  // --- pools

  const SPARK = { width: 180, height: 44, points: 90 };

  function spark(label) {
    const value = make('b');
    const chart = svg('svg', {
      viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    });
    const [area, queue, line] = ['area', 'queue', 'line'].map((name) =>
      svg('path', { class: name }),
    );
    chart.append(area, queue, line);
    const words = make('p', '', make('span', '', label), value);
    return { element: make('div', 'spark', words, chart), value, area, queue, line };
  }

  function draw({ area, queue, line }, values, least, waiting = []) {
    const all = values.map((value, index) => value + (waiting[index] ?? 0));
    const highest = Math.max(least, ...all);
    const step = SPARK.width / (SPARK.points - 1);
    const place = (value, index, count) => {
      const x = SPARK.width - (count - 1 - index) * step;
      const y = SPARK.height - 1 - (value / highest) * (SPARK.height - 4);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    };
    const path = (list) => list.map((value, index) => place(value, index, list.length));
    const top = path(values);
    if (top.length === 0) return;
    const from = place(0, 0, values.length);
    const to = place(0, values.length - 1, values.length);
    line.setAttribute('d', `M${top.join('L')}`);
    area.setAttribute('d', `M${from}L${top.join('L')}L${to}Z`);
    const queued = waiting.some((count) => count > 0);
    const over = queued ? `M${top.join('L')}L${path(all).toReversed().join('L')}Z` : '';
    queue.setAttribute('d', over);
  }

  function createPool() {
    const name = make('h3');
    const where = make('p', 'place');
    const level = make('p', 'level');
    const used = make('b');
    const most = make('span');
    const waiting = make('span', 'waiting');
    const parts = { lent: make('i', 'lent'), connecting: make('i', 'connecting') };
    parts.idle = make('i', 'idle');
    const bar = make('div', 'bar', parts.lent, parts.connecting, parts.idle);
    bar.setAttribute('role', 'img');
    const [lentSpark, rateSpark] = [spark('In use'), spark('Statements/s')];
    const facts = {
      idle: fact('Idle'),
      wait: fact('Wait p95'),
      timeouts: fact('Timeouts'),
      leaks: fact('Leaks'),
    };
    const advice = make('p', 'advice');
    const element = make(
      'article',
      'pool',
      make('div', 'pool-head', make('div', '', name, where), level),
      make('div', 'in-use', make('span', '', used, ' ', most), waiting),
      bar,
      make('div', 'sparks', lentSpark.element, rateSpark.element),
      make('dl', 'facts', ...Object.values(facts).map((one) => one.element)),
      advice,
    );
    return {
      element,
      name,
      where,
      level,
      used,
      most,
      waiting,
      bar,
      parts,
      lentSpark,
      rateSpark,
      facts,
      advice,
    };
  }

  function updatePool(row, pool) {
    setText(row.name, pool.name);
    setText(row.where, [pool.system, pool.place].filter(Boolean).join(' · '));
    setData(row.element, 'level', toneOf(pool));
    setData(row.element, 'full', String(pool.lent >= pool.max && pool.waiting > 0));
    setText(row.level, levelWord(pool));
    setText(row.used, whole.format(pool.lent));
    setText(row.most, `of ${whole.format(pool.max)} in use`);
    setText(
      row.waiting,
      pool.waiting === 0 ? 'nobody waits' : `${whole.format(pool.waiting)} waiting`,
    );
    setData(row.waiting, 'some', String(pool.waiting > 0));
    const all = Math.max(pool.max, pool.lent + pool.connecting + pool.idle, 1);
    for (const [name, part] of Object.entries(row.parts)) {
      part.hidden = pool[name] === 0;
      part.style.width = `${(pool[name] / all) * 100}%`;
    }
    row.bar.setAttribute(
      'aria-label',
      `${pool.lent} in use, ${pool.idle} idle, ${pool.connecting} connecting, of ${pool.max}`,
    );
    const { lent, waiting, statements } = pool.history;
    setText(row.lentSpark.value, whole.format(pool.lent));
    setText(row.rateSpark.value, short.format(pool.statementsPerSecond));
    draw(row.lentSpark, lent, pool.max, waiting);
    draw(row.rateSpark, statements, 1);
    setText(row.facts.idle.value, whole.format(pool.idle));
    setText(row.facts.wait.value, length(pool.waitP95Ms));
    for (const name of ['timeouts', 'leaks']) {
      setText(row.facts[name].value, whole.format(pool[name]));
      setData(row.facts[name].element, 'some', String(pool[name] > 0));
    }
    row.advice.hidden = toneOf(pool) === 'normal';
    setText(row.advice, pool.reason);
  }

  // --- running statements

  function createRunning(first) {
    const time = make('span', 'for');
    const text = sql();
    const meta = make('div', 'meta');
    const one = make('button', 'danger', 'Stop');
    const alike = make('button', 'danger', 'Stop all');
    one.type = alike.type = 'button';
    const acts = make('div', 'acts', one, alike);
    const body = make('div', 'body', text.element, meta);
    const row = {
      element: make('li', 'statement', time, body, acts),
      time,
      text,
      meta,
      one,
      alike,
    };
    setText(text.text, first.text);
    // These never change while it runs.
    const kind = { transaction: 'in a transaction', stream: 'a stream', server: 'on the server' };
    meta.append(make('span', '', first.database));
    if (kind[first.kind]) meta.append(make('span', '', kind[first.kind]));
    for (const [key, value] of Object.entries(first.tags)) {
      meta.append(make('span', 'tag', `${key}: ${value}`));
    }
    one.setAttribute('aria-label', `Stop: ${first.text.slice(0, 80)}`);
    one.addEventListener('click', () => void stop([first.id], first.text));
    alike.addEventListener('click', () => void stop(row.alikeIds, first.text));
    return row;
  }

  function updateRunning(row, item, alikeIds, mayAct) {
    setText(row.time, length(item.forMs));
    setData(
      row.element,
      'tone',
      item.forMs >= 10_000 ? 'bad' : item.forMs >= 1_000 ? 'warn' : 'plain',
    );
    row.alikeIds = alikeIds;
    row.one.hidden = !mayAct || !item.canStop;
    // Once for all of them, at the one that runs longest.
    row.alike.hidden = row.one.hidden || alikeIds.length < 2 || alikeIds[0] !== item.id;
    setText(row.alike, `Stop all ${alikeIds.length} like this`);
  }

  function showRunning({ running, runningCount }, mayAct) {
    const alike = new Map();
    for (const { id, digest, database, canStop } of running) {
      if (!canStop) continue;
      const key = `${database}\n${digest}`;
      alike.set(key, [...(alike.get(key) ?? []), id]);
    }
    fill(
      byId('running-list'),
      running,
      ({ id }) => id,
      createRunning,
      (row, item) =>
        updateRunning(row, item, alike.get(`${item.database}\n${item.digest}`) ?? [], mayAct),
    );
    byId('running-empty').hidden = running.length > 0;
    const shown = running.length < runningCount ? ', listed from 100 ms on' : '';
    const note = mayAct ? '' : ' · for looking only';
    setText(byId('running-count'), `${whole.format(runningCount)}${shown}${note}`);
  }

  // --- digests

  function createDigest() {
    const text = sql();
    const fillUp = make('i');
    const facts = {
      on: fact('On'),
      share: fact('Time'),
      count: fact('Calls'),
      p50: fact('p50'),
      p95: fact('p95'),
      p99: fact('p99'),
      rows: fact('Rows'),
      errors: fact('Errors'),
    };
    const list = make('dl', 'facts', ...Object.values(facts).map((one) => one.element));
    const element = make('li', 'digest', text.element, make('div', 'share', fillUp), list);
    return { element, text, fillUp, facts };
  }

  function updateDigest({ text, fillUp, facts }, digest) {
    setText(text.text, digest.text);
    fillUp.style.width = `${digest.share * 100}%`;
    setText(facts.share.value, `${Math.round(digest.share * 100)} %, ${length(digest.totalMs)}`);
    setText(facts.count.value, short.format(digest.count));
    setText(facts.p50.value, length(digest.p50Ms));
    setText(facts.p95.value, length(digest.p95Ms));
    setText(facts.p99.value, length(digest.p99Ms));
    setText(facts.rows.value, short.format(digest.rows));
    setText(facts.errors.value, short.format(digest.errors));
    setData(facts.errors.element, 'some', String(digest.errors > 0));
    facts.errors.element.hidden = digest.errors === 0;
    setText(facts.on.value, digest.database);
  }

  // --- events

  function createEvent(event) {
    const [time, words, count] = [make('time'), make('span'), make('span', 'count')];
    const meta = make('div', 'meta');
    if (event.database) meta.append(make('span', '', event.database));
    for (const [key, value] of Object.entries(event.tags)) {
      meta.append(make('span', 'tag', `${key}: ${value}`));
    }
    const more = make('pre');
    const about = event.stack ? 'Statement and stack' : 'Statement';
    const folded = make('details', '', make('summary', '', about), more);
    const line = make('p', '', make('span', 'what', event.what), words, count);
    const element = make('li', 'event', time, make('div', '', line, meta, folded));
    setData(element, 'tone', event.tone);
    return { element, time, words, count, folded, more };
  }

  function updateEvent({ time, words, count, folded, more }, event) {
    setText(time, clock(event.at));
    setText(words, event.words);
    setText(count, event.count > 1 ? `× ${whole.format(event.count)}` : '');
    const text = [event.text, event.stack].filter(Boolean).join('\n\n');
    setText(more, text);
    folded.hidden = text === '';
  }

  function showEvents() {
    const youngest = [...state.events.values()].toSorted((a, b) => b.turn - a.turn);
    for (const { id } of youngest.splice(MOST_EVENTS)) state.events.delete(id);
    fill(byId('events'), youngest, ({ id }) => id, createEvent, updateEvent);
    byId('events-empty').hidden = youngest.length > 0;
    setText(byId('events-count'), youngest.length === 0 ? '' : String(youngest.length));
  }

  // --- actions

  async function stop(ids, text) {
    const many = ids.length > 1;
    setText(
      byId('confirm-title'),
      many ? `Stop ${ids.length} statements?` : 'Stop this statement?',
    );
    setText(
      byId('confirm-words'),
      'The server is told to cancel; the program that waits for it gets an error.',
    );
    setText(byId('confirm-text'), text);
    setText(byId('confirm-yes'), many ? 'Stop them' : 'Stop it');
    if (!(await confirmed())) return;
    try {
      const response = await fetch(`${base}stop`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-dal-token': token },
        body: JSON.stringify({ stop: ids }),
      });
      if (!response.ok) return notice(await response.text());
      const { stopped } = await response.json();
      notice(
        stopped === 0
          ? 'It was over already.'
          : stopped === 1
            ? 'The statement is being stopped.'
            : `${stopped} statements are being stopped.`,
      );
    } catch {
      notice('The console did not answer.');
    }
  }

  function confirmed() {
    const dialog = byId('confirm');
    dialog.returnValue = 'no';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    });
  }

  let noticeTimer;
  function notice(words) {
    setText(byId('notice'), words);
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => setText(byId('notice'), ''), 6_000);
  }

  // --- the stream

  function show({ snapshot, mayAct }) {
    showVerdict(snapshot.verdict);
    fill(byId('pools'), snapshot.pools, ({ name }) => name, createPool, updatePool);
    byId('pools-empty').hidden = snapshot.pools.length > 0;
    setText(
      byId('pools-more'),
      snapshot.morePools > 0 ? `${snapshot.morePools} more are not shown` : '',
    );
    showRunning(snapshot, mayAct);
    fill(
      byId('digests'),
      snapshot.digests,
      ({ id, database }) => `${database}\n${id}`,
      createDigest,
      updateDigest,
    );
    byId('digests-empty').hidden = snapshot.digests.length > 0;
    showEvents();
  }

  function contact(kind, words) {
    setData(byId('contact'), 'state', kind);
    setText(byId('contact'), words);
  }

  function listen() {
    const stream = new EventSource(`${base}events`);
    let isFirst = true;
    stream.addEventListener('open', () => {
      isFirst = true;
    });
    stream.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      // The first message of a stream has all events; another process may count them anew.
      if (isFirst) state.events.clear();
      isFirst = false;
      for (const event of message.events) state.events.set(event.id, event);
      state.latest = message;
      state.heardAt = performance.now();
      if (state.paused) return;
      contact('live', 'Live');
      show(message);
    });
    stream.addEventListener('error', () => {
      contact('lost', 'No contact');
      // The browser tries again by itself, unless it was refused.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3_000);
    });
  }

  byId('pause').addEventListener('click', ({ currentTarget }) => {
    state.paused = !state.paused;
    currentTarget.setAttribute('aria-pressed', String(state.paused));
    setText(currentTarget, state.paused ? 'Go on' : 'Pause');
    if (state.paused) contact('paused', `Paused at ${clock(Date.now())}`);
    else if (state.latest) {
      contact('live', 'Live');
      show(state.latest);
    }
  });
  setInterval(() => {
    if (!state.paused && state.heardAt > 0 && performance.now() - state.heardAt > 5_000) {
      contact('lost', 'No contact');
    }
  }, 1_000);
  listen();
})();
