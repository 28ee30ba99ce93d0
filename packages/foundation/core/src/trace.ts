import type { TracingChannel } from 'node:diagnostics_channel';
import type { Traced } from './channels.ts';

/**
 * Runs the work and tells its channel of begin and end. Costs promises: ask `hasSubscribers` first.
 *
 * Everything is published where the caller stands: its `AsyncLocalStorage` is the one that listeners
 * see, also when another call's end has set this one going again.
 */
export async function trace<Message extends Traced<Result, Failure>, Result, Failure, Answer>(
  channel: TracingChannel<Message, Message>,
  message: Message,
  work: () => Promise<Answer>,
  { resultOf, judge }: Reading<Answer, Result, Failure>,
): Promise<Answer> {
  try {
    const answer = await begin(channel, message, work);
    message.result = resultOf(answer);
    message.durationMs = performance.now() - message.startedAt;
    return answer;
  } catch (thrown) {
    message.error = judge(thrown);
    message.durationMs = performance.now() - message.startedAt;
    channel.error.publish(message);
    throw thrown;
  } finally {
    channel.asyncStart.publish(message);
    channel.asyncEnd.publish(message);
  }
}

/** How an answer and an error are put into a message. */
export interface Reading<Answer, Result, Failure> {
  resultOf(answer: Answer): Result;
  judge(thrown: unknown): Failure;
}

function begin<Message extends object, Answer>(
  { start, end }: TracingChannel<Message, Message>,
  message: Message,
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return start.runStores(message, work);
  } finally {
    end.publish(message);
  }
}
