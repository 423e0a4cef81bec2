// Injected bugs of order and time: mixed up completions, missing deadlines, lost wake-ups,
// incomplete closes.

import type { Mutant } from './mutant.ts';

const CLOSE = 'connection/close.js';
const TIMEOUTS = 'connection/timeouts.js';
const CONNECTION = 'connection/connection.js';
const TRANSPORT = 'connection/transport.js';
const REACTOR = 'reactor/reactor.js';
const ADMISSION = 'reactor/admission.js';
const PUMP = 'reactor/pump.js';

export const INJECTED_ORDER: readonly Mutant[] = [
  {
    name: 'a socket is closed while something is in flight',
    file: REACTOR,
    find:
      'if ((state & IN_FLIGHT) !== 0)\n' +
      '            this.driver.abort(slot, false);\n        else\n' +
      '            this.driver.close(slot);',
    replace: 'this.driver.close(slot);',
  },
  {
    name: 'a closing socket is closed by the first of two completions',
    file: REACTOR,
    find:
      '#closeIfIdle(slot) {\n' +
      '        if ((this.sockets.state[slot] & IN_FLIGHT) === 0)\n' +
      '            this.driver.close(slot);',
    replace: '#closeIfIdle(slot) {\n        this.driver.close(slot);',
  },
  {
    name: 'the owner of a closing socket receives bytes',
    file: REACTOR,
    find:
      'if (block >= 0)\n                this.slab.release(block);\n' +
      '            this.#closeIfIdle(slot);\n            return;',
    replace: 'this.#closeIfIdle(slot);',
  },
  {
    name: 'a block received on a closing socket is lost',
    file: REACTOR,
    find:
      'if (block >= 0)\n                this.slab.release(block);\n' +
      '            this.#closeIfIdle(slot);',
    replace: 'this.#closeIfIdle(slot);',
  },
  {
    name: 'a slot is reused before its socket is closed',
    file: REACTOR,
    find: 'else\n            this.driver.close(slot);\n    }\n',
    replace:
      'else {\n            this.driver.close(slot);\n' +
      '            this.sockets.release(slot);\n        }\n    }\n',
  },
  {
    name: 'the deadline of a send is not disarmed by progress',
    file: REACTOR,
    find: 'this.#deadlines.disarm(sendNode(slot));\n        // Also',
    replace: '// Also',
  },
  {
    name: 'sends get no deadline',
    file: REACTOR,
    find: 'this.#deadlines.arm(sendNode(slot), this.#sendTimeout, this.nowMs);',
    replace: '',
  },
  {
    name: 'the deadline of a send ignores acknowledgements',
    file: 'reactor/progress.js',
    find: 'const isStalled = bytes < 0 || bytes === this.#unacknowledged[slot];',
    replace: 'const isStalled = true;',
  },
  {
    name: 'a send is checked too often, and its client reset late',
    file: REACTOR,
    find: 'this.#progress.check(slot) < WRITE_CHECKS',
    replace: 'this.#progress.check(slot) < WRITE_CHECKS + 2',
  },
  {
    name: 'checks of one send count for the next',
    file: REACTOR,
    find: 'this.#progress.begin(slot);\n            this.#deadlines',
    replace: 'this.#deadlines',
  },
  {
    name: 'only one deadline expires in a turn, and the pump sees no other',
    file: 'base/deadlines.js',
    find: 'if (node !== NONE)\n                nextMs = Math.min(nextMs, this.#dueMs[node]);',
    replace:
      'if (node !== NONE && kind > 0)\n' +
      '                nextMs = Math.min(nextMs, this.#dueMs[node]);',
  },
  {
    name: 'the pump sleeps though a handler armed a deadline',
    file: REACTOR,
    find: 'this.readClock();\n        this.driver.wake(false);',
    replace: 'this.readClock();',
  },
  {
    name: 'a wake-up from within a call is lost',
    file: PUMP,
    find: 'else\n            setImmediate(this.#runAlone);\n    }\n    /** A failed',
    replace: '}\n    /** A failed',
  },
  {
    name: 'the pump falls asleep with work left',
    file: PUMP,
    find:
      'if (this.#stopped || this.#sleep())\n            return;\n' +
      '        setImmediate(this.#run);',
    replace:
      'if (this.#stopped)\n            return;\n        if (!this.#sleep())\n' +
      '            this.#asleep = true;',
  },
  {
    name: 'the next head of a pipeline inherits the deadline of the head before',
    file: CONNECTION,
    find: 'if (armed === headTimeout || armed === Timeout.Handler)',
    replace: 'if (false)',
  },
  {
    name: 'the deadline of idle connections stays armed while a handler runs',
    file: TIMEOUTS,
    find: 'if (armed !== Timeout.Handler)\n            reactor.arm(slot, Timeout.Handler);',
    replace: '',
  },
  {
    name: 'every byte of a slow head restarts its deadline',
    file: TIMEOUTS,
    find: 'if (armed !== headTimeout)\n            reactor.arm(slot, headTimeout);',
    replace: 'reactor.arm(slot, headTimeout);',
  },
  {
    name: 'the next request begins before the previous response is in the send queue',
    file: CONNECTION,
    find:
      'if (exchange.phase !== Phase.Ended)\n            return false;\n' +
      '        if (!exchange.keepAlive)',
    replace:
      'if (exchange.phase === Phase.Open)\n            return false;\n' +
      '        if (!exchange.keepAlive)',
  },
  {
    name: 'the head of a pending handler is not copied',
    file: CONNECTION,
    find: 'exchange.retain();\n            this.reactor.yieldWanted = true;',
    replace:
      'exchange.headMemory = HeadMemory.Copied;\n            this.reactor.yieldWanted = true;',
  },
  {
    name: 'an exchange is reused while its handler runs',
    file: CONNECTION,
    find: 'if (isSettled && !exchange.retained)\n            this.context',
    replace: 'this.context',
  },
  {
    name: 'Connection: close is ignored when the body was not read',
    file: CONNECTION,
    find: 'if (!exchange.keepAlive) {\n            close(this);\n        }',
    replace: 'if (!exchange.keepAlive && this.requests < 2) {\n            close(this);\n        }',
  },
  {
    name: 'a pipeline that waits for room is not resumed',
    file: CONNECTION,
    find: 'else if (!this.receiveBuffer.empty)\n            this.advance();',
    replace: '',
  },
  {
    name: 'a client that half closed is kept after its last response',
    file: CONNECTION,
    find: 'if (!this.state.receiveEnded)\n                return false;',
    replace:
      'if (!this.state.receiveEnded)\n                return false;\n' +
      '            if (this.requests > 2)\n                return false;',
  },
  {
    name: 'the server closes at once after its last response',
    file: CLOSE,
    find: 'reactor.shutdownSend(slot);\n        reactor.arm(slot, Timeout.Deliver);',
    replace: 'reactor.close(slot);\n        return;',
  },
  {
    name: 'a lingering connection has no deadline',
    file: CLOSE,
    find: 'reactor.arm(slot, Timeout.Linger);',
    replace: '',
  },
  {
    name: 'lingering ends while something is unacknowledged',
    file: CLOSE,
    find: 'if (checks < 0) {',
    replace: 'if (checks >= -1) {',
  },
  {
    name: 'a last response that is not acknowledged has no deadline',
    file: CLOSE,
    find: 'else if (checks < deliveryChecks(context.limits)) {',
    replace: 'else if (looks >= 0) {',
  },
  {
    name: 'a reset is not noticed while nothing is received',
    file: CONNECTION,
    find: 'reactor.watch(slot);',
    replace: 'this.requests > 9 && reactor.watch(slot);',
  },
  {
    name: 'the completion of a watch is ignored',
    file: REACTOR,
    find:
      'else if ((state & RECEIVING) === 0)\n' +
      '            this.#owner(slot).received(result, -1);',
    replace: '',
  },
  {
    name: 'the half close truncates the last response',
    file: CLOSE,
    find: 'if (sendQueue.waiting > 0) {\n        reactor.disarm(slot);',
    replace: 'if (sendQueue.waiting > 16384) {\n        reactor.disarm(slot);',
  },
  {
    name: 'handlers of a detached connection are not notified',
    file: CLOSE,
    find: 'exchange.abort(clientGone());',
    replace: '',
  },
  {
    name: 'an idle connection is evicted though it has a request',
    file: CLOSE,
    find: 'if (!isIdle || sendQueue.waiting > 0 || !receiveBuffer.empty)',
    replace: 'if (state.isBroken || state.receiveEnded)',
  },
  {
    name: 'a stream that is written outside of a turn is not sent',
    file: TRANSPORT,
    find: 'if (!advancing)\n            connection.settle();\n        const roomAt',
    replace: 'const roomAt',
  },
  {
    name: 'accept is not retried after a failure',
    file: ADMISSION,
    find: 'deadlines.arm(retryNode, retryKind, nowMs);',
    replace: '',
  },
  {
    name: 'a waiting client does not get the free slot',
    file: ADMISSION,
    find: 'this.#admitWaiting(nowMs);\n        if (this.#canTakeMore)\n            this.#resume();',
    replace: 'if (this.#canTakeMore)\n            this.#resume();',
  },
  {
    name: 'extra slots are never uncounted',
    file: ADMISSION,
    find: 'this.#extraCount -= 1;',
    replace: '',
  },
];
