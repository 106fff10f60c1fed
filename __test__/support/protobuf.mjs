// As much of protobuf as it takes to write what no server would: every value goes out as it is given.

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

/** A message of `[number, value]` fields: numbers and bigints as varints, strings and buffers with their length. */
export function message(...fields) {
  return Buffer.concat(fields.flatMap(([number, value]) => {
    if (typeof value === 'number' || typeof value === 'bigint') return [varint(number * 8), varint(value)];
    const bytes = Buffer.from(value);
    return [varint(number * 8 + 2), varint(bytes.length), bytes];
  }));
}

/** A map field: one entry per key of an object. */
export const map = (number, entries) => (
  Object.entries(entries).map(([key, value]) => [number, message([1, key], [2, value])])
);

/** `MsgData` of a text from one user to another (gateway.md 4.1), stored at a seq. */
export const textMessage = ({ from, to, seq, text, status = 2, sendTime = Date.now() }) => message(
  [1, from], [2, to], [4, `forged-${text}`], [5, `server-${text}`], [6, 7], [9, 1], [10, 100], [11, 101],
  [12, JSON.stringify({ content: text })], [14, seq], [15, sendTime], [16, sendTime], [17, status],
);

/** `PushMessages`, or an answer to 1002 or 1005: messages of one conversation. */
export const pulled = (conversationID, messages) => (
  message(...map(1, { [conversationID]: message(...messages.map((one) => [1, one])) }))
);
