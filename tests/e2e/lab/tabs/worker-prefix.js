// Before the worker's own script: tells the page that looks on what the client says to the world, and what it promises.
{
  const worker = crypto.randomUUID();
  const channel = new BroadcastChannel('looks-on');
  const tell = (what) => channel.postMessage({ worker, at: Date.now(), ...what });

  // Told to crash, it does so in the midst of whatever it does.
  channel.onmessage = ({ data }) => {
    if (data === 'crash') throw new Error('it was told to crash');
  };

  const ask = self.fetch;
  self.fetch = (...words) => {
    tell({ kind: 'fetch' });
    return ask(...words);
  };
  const Socket = self.WebSocket;
  self.WebSocket = class extends Socket {
    constructor(...words) {
      tell({ kind: 'socket' });
      super(...words);
    }
  };
  const post = self.postMessage.bind(self);
  self.postMessage = (message, ...rest) => {
    if (message.type === 'ready') tell({ kind: 'ready', account: message.account });
    return post(message, ...rest);
  };

  // Frames: length u32 | version u8 | kind u8 | body; requests (4) and vouchers (8) may end with a voucher: length u32 | seq u64 | cum u128 | ... | signature.
  const LENGTHS = [89 + 52, 89];
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const voucherOf = (frame, to) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const length = LENGTHS.find((length) => frame.length >= length + 4 && view.getUint32(frame.length - length - 4, true) === length);
    if (length === undefined) return;
    const at = frame.length - length;
    tell({ kind: 'voucher', to, seq: String(view.getBigUint64(at, true)), cum: String(view.getBigUint64(at + 8, true)), whole: hex(frame.subarray(at)) });
  };
  /** Who is paid on a channel. */
  const payees = new WeakMap();
  // What a neighbour greets with (1): stream 32 | features u32 | 1 u8 | payee 20 | ... . As if it took no ticks (bit 0), so that every chunk is paid by a voucher of its own.
  Object.defineProperty(RTCDataChannel.prototype, 'onmessage', {
    set(take) {
      this.addEventListener('message', (event) => {
        const bytes = new Uint8Array(event.data);
        if (bytes[5] === 1 && bytes.length > 63 && !payees.has(this)) {
          bytes[38] &= ~1;
          payees.set(this, hex(bytes.subarray(43, 63)));
        }
        take.call(this, event);
      });
    },
  });

  /** Bytes of a chunk that are still to come on a channel: long frames are cut. */
  const rests = new WeakMap();
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function look(body) {
    const bytes = new Uint8Array(body.buffer ?? body, body.byteOffset ?? 0, body.byteLength);
    let at = rests.get(this) ?? 0;
    while (at + 6 <= bytes.length) {
      const end = at + 4 + new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
      const kind = bytes[at + 5];
      if ((kind === 4 || kind === 8) && end <= bytes.length) voucherOf(bytes.subarray(at, end), payees.get(this));
      at = end;
    }
    rests.set(this, Math.max(0, at - bytes.length));
    return send.call(this, body);
  };
}
