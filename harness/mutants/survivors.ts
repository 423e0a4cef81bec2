// Mechanical mutants that no run can distinguish from the original, each with the reason. The keys
// are file, rule and line of text, cut to 90 characters.

export const SURVIVORS: Readonly<Record<string, string>> = {
  'reactor/reactor.js: a condition never holds: if (this.inTurn)':
    'the clock is read once more, and a pump that is awake is woken',
  'reactor/pump.js: < becomes <=: for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped;':
    'seventeen turns in a row are as correct as sixteen',
  'reactor/progress.js: a statement is left out: this.#stalled[slot] = 0;':
    'where acknowledgements are known, the first check of a wait sets it to 0',
  'reactor/progress.js: < becomes <=: const isStalled = bytes < 0 || bytes === this.#unacknow':
    'with nothing left to acknowledge there is room, and the send completes',
  'connection/timeouts.js: !== becomes ===: if (kind !== Timeout.Drain && kind !== Timeout.Del':
    'it changes only the counter of timeouts, which no client sees',
  'connection/timeouts.js: && becomes ||: if (kind !== Timeout.Drain && kind !== Timeout.Deliv':
    'it changes only the counter of timeouts, which no client sees',
  'connection/timeouts.js: a condition never holds: if (kind !== Timeout.Drain && kind !== Tim':
    'it changes only the counter of timeouts, which no client sees',
  'connection/timeouts.js: a statement is left out: exchange.disableKeepAlive();':
    'bodyFailed(), which comes next, does the same',
  'connection/response-cache.js: + becomes -: this.#next = (this.#next + 1) % ENTRIES_MAX;':
    'a common head that is not found is made again, only slower',
  'connection/request-body.js: a statement is left out: this.#gatheredBytes = 0;':
    'the end of every read has set it to 0',
  'connection/request-body.js: <= becomes <: if (this.#gatheredBytes > 0 && needed <= this.#':
    'a buffer that is exactly large enough grows needlessly',
  'connection/request-body.js: === becomes !==: const wanted = this.#kind === BodyKind.Lengt':
    'the buffer grows by more or by less at a time, and is large enough either way',
  'connection/close.js: a condition never holds: if (state.isBroken)':
    'detaching a second time has no effect',
  'connection/close.js: a statement is left out: connection.debug(`${faultText(fault)}: ${sta':
    'it changes only the debug log',
  'connection/close.js: a statement is left out: context.counters.faults += 1;':
    'it changes only the counter of faults, which no client sees',
  'connection/request-body.js: a statement is left out: this.waits = true;':
    'no simulated handler writes while it waits for a body: a test of slow bodies catches it',
  'connection/request-body.js: > becomes >=: if (this.want !== Want.Nothing || this.receivedB':
    'a body that is there is read by a promise, only later: a test of request bodies catches it',
  'connection/transport.js: a condition never holds: if (queuedTotal === sentTotal)':
    'the end is reported with the next send or the close: a test of tracing catches it',
  'reactor/content-files.js: > becomes >=: if (length > CONTENT_FILES_BYTES_MAX)':
    'the simulated driver has no files in memory: a test of content files catches it',
  'reactor/pump.js: a statement is left out: this.#holds = on;':
    'no simulated process ends for want of a timer: a test of the pump catches it',
};
