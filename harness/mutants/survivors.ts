// Mutants made by rule that no run can tell from the original, each with the reason. They are named
// by file, rule and line of text, as far as 90 characters go.

export const SURVIVORS: Readonly<Record<string, string>> = {
  'reactor/reactor.js: + becomes -: return this.#deadlines.kind(2 * slot + DeadlineSide.Input':
    'the side of input has number 0, which may as well be taken away',
  'reactor/reactor.js: a condition never holds: if (this.inTurn)':
    'the clock is read once more, and who is awake is woken',
  'reactor/pump.js: < becomes <=: for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped;':
    'seventeen turns in a row, and not sixteen, are as right',
  'reactor/progress.js: a statement is left out: this.#stalled[slot] = 0;':
    'where the system reports it, the first check of a wait sets it to 0',
  'reactor/progress.js: < becomes <=: const isStalled = bytes < 0 || bytes === this.#unacknow':
    'with nothing left to acknowledge there is room, and the send completes',
  'connection/timeouts.js: !== becomes ===: if (kind !== Timeout.Drain && kind !== Timeout.Del':
    'it only changes what the counter of timeouts says, which no client sees',
  'connection/timeouts.js: && becomes ||: if (kind !== Timeout.Drain && kind !== Timeout.Deliv':
    'it only changes what the counter of timeouts says, which no client sees',
  'connection/timeouts.js: a condition never holds: if (kind !== Timeout.Drain && kind !== Tim':
    'it only changes what the counter of timeouts says, which no client sees',
  'connection/timeouts.js: a statement is left out: exchange.disableKeepAlive();':
    'bodyFailed(), which comes next, says the same',
  'connection/response-cache.js: + becomes -: this.#next = (this.#next + 1) % ENTRIES_MAX;':
    'a common head that is not found again is made again, only slower',
  'connection/request-body.js: a statement is left out: this.#gatheredBytes = 0;':
    'whatever ends a read has set it to 0 for the next one',
  'connection/request-body.js: <= becomes <: if (this.#gatheredBytes > 0 && needed <= this.#':
    'a buffer that is just large enough grows all the same',
  'connection/request-body.js: === becomes !==: const wanted = this.#kind === BodyKind.Lengt':
    'the buffer grows by more or by less at a time, and is large enough either way',
  'connection/close.js: a condition never holds: if (state.isBroken)':
    'what is let go of the second time has gone already',
};
