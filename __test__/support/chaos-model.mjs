// What must be true of a client whatever happens around it: the ten invariants of client-behaviour.md 0.1. The model
// knows what was sent and what became of each call, hears every event, and is shown the server's log and read cursors
// (asked of its REST API) and what the devices' queries answer. It shares no code with the client.

/** Events that end a session. */
export const ENDS = new Set(['OnKickedOffline', 'OnUserTokenExpired', 'OnUserTokenInvalid']);
const ARRIVALS = new Set(['OnRecvNewMessages', 'OnRecvOfflineNewMessages']);
const CONVERSATIONS = new Set(['OnNewConversation', 'OnConversationChanged']);

/** What the driver lets the server refuse a send with. */
export const REFUSED = 1302;

/** Fields that every conversation has, everywhere and always. */
const CONVERSATION_FIELDS = [
  'attachedInfo', 'burnDuration', 'conversationID', 'conversationType', 'draftText', 'draftTextTime', 'ex', 'faceURL',
  'groupAtType', 'groupID', 'hasReadSeq', 'isMsgDestruct', 'isNotInGroup', 'isPinned', 'isPrivateChat', 'latestMsg',
  'latestMsgSendTime', 'maxSeq', 'minSeq', 'msgDestructTime', 'recvMsgOpt', 'showName', 'unreadCount', 'userID',
].join();

const sum = (numbers) => [...numbers].reduce((total, number) => total + number, 0);

/** Where two lists of words differ for the first time. */
function difference(actual, expected) {
  const at = [...expected, undefined].findIndex((word, i) => word !== actual[i]);
  return at < 0 ? '' : `at ${at}: ${actual[at]}, not ${expected[at]}`;
}

/** One device's life as it must look: from its new database on, over any number of sessions. */
class Device {
  /** Cleared when the server ends the session; then nothing may be heard before the next one begins. */
  live = true;
  /** clientMsgID -> how often it was announced. */
  told = new Map();
  /** Messages from this one on are announced exactly once, elder ones at most once. */
  exactFrom = Infinity;
  /** Listeners' picture of the conversations, while events alone keep it right. */
  view;
  /** The last total that listeners heard. */
  total;
  appeared = new Set();
  /** chat -> the read cursor at the last rest. */
  cursors = new Map();
  /** chat -> a seq that this device has read for certain. */
  marks = new Map();
  constructor(name, userID, silentBefore) {
    Object.assign(this, { name, userID, silentBefore });
  }
}

export class ChaosModel {
  /** clientMsgID -> what was sent: from which device, into which chat, the text, and what became of it. */
  #sent = new Map();
  #devices = new Map();
  #restedAt = 0;
  /** Violations seen in events; they stay. */
  violations = [];

  #violated(invariant, device, what) {
    this.violations.push(`I${invariant} ${device.name}: ${what}`);
  }

  /** A device with an empty database. What the server had at the last rest is no news to it. */
  deviceAppears(name, userID) {
    this.#devices.set(name, new Device(name, userID, this.#restedAt));
  }

  /**
   * A session begins: at the device's first login, after its process was started again, or after its token was refused.
   * `complete`: its first sync fetches everything that was missed; else the history has the rest, unannounced.
   */
  sessionBegins(name, { complete }) {
    const device = this.#devices.get(name);
    device.live = true;
    device.view = undefined;
    device.total = undefined;
    if (!complete) device.exactFrom = Infinity;
    // what became of what was on its way may have been told when nobody listened
    for (const sent of this.#sent.values()) sent.unheard ||= sent.device === name;
  }

  sends(name, chat, { clientMsgID, textElem }) {
    const number = this.#sent.size;
    this.#sent.set(clientMsgID, { number, device: name, chat, text: textElem.content, outcome: 'open', told: 0 });
  }

  /** The call ended: accepted, refused, pending (an event tells), or gone with its session (it may have left). */
  sendEnded(clientMsgID, outcome) {
    this.#sent.get(clientMsgID).outcome = outcome;
  }

  /** A device marked a chat as read when it knew of everything up to `seq` at least. */
  read(name, chat, seq) {
    const { marks } = this.#devices.get(name);
    marks.set(chat, Math.max(marks.get(chat) ?? 0, seq));
  }

  /** The newest seq of a chat that a device was told of. */
  knows(name, chat) {
    const { view } = this.#devices.get(name);
    return view?.get(chat)?.seq ?? 0;
  }

  /** Any event of a device. */
  heard(name, event, payload) {
    const device = this.#devices.get(name);
    if (!device.live) this.#violated(10, device, `${event} after its session had ended`);
    if (ENDS.has(event)) device.live = false;
    if (ARRIVALS.has(event)) this.#arrived(device, payload);
    if (CONVERSATIONS.has(event)) this.#conversations(device, event, payload);
    if (event === 'OnTotalUnreadMessageCountChanged') this.#total(device, payload);
    if (event === 'OnMessageSendStateChanged') this.#sendState(device, payload);
    if (event === 'OnSyncServerFinish') {
      device.exactFrom = Math.min(device.exactFrom, this.#sent.size);
      // after a first sync listeners load everything anew
      if (payload) Object.assign(device, { view: undefined, total: undefined });
    }
    if (event === 'OnEventsDropped' || event === 'OnDatabaseReset') this.#violated(1, device, event);
  }

  #arrived(device, messages) {
    const newest = new Map();
    for (const { clientMsgID, textElem, status, seq } of messages) {
      const sent = this.#sent.get(clientMsgID);
      if (sent === undefined) {
        this.#violated(4, device, `a message that nobody sent: ${clientMsgID}`);
        continue;
      }
      const times = (device.told.get(clientMsgID) ?? 0) + 1;
      device.told.set(clientMsgID, times);
      if (times > 1) this.#violated(4, device, `${sent.text} announced ${times} times`);
      if (sent.device === device.name) this.#violated(4, device, `its own ${sent.text} announced`);
      if (sent.number < device.silentBefore) this.#violated(3, device, `old ${sent.text} announced to a new device`);
      if (textElem.content !== sent.text || status !== 2) this.#violated(2, device, `${sent.text} came changed`);
      if (seq <= newest.get(sent.chat)) this.#violated(2, device, `${sent.text} after a younger one in one event`);
      newest.set(sent.chat, seq);
    }
  }

  #conversations(device, event, rows) {
    for (const row of rows) {
      const { conversationID, unreadCount, latestMsg } = row;
      const fields = Object.keys(row).sort().join();
      if (fields !== CONVERSATION_FIELDS) this.#violated(9, device, `a conversation has the fields ${fields}`);
      if (event === 'OnNewConversation') {
        if (device.appeared.has(conversationID)) this.#violated(2, device, `${conversationID} is new again`);
        device.appeared.add(conversationID);
      }
      device.view?.set(conversationID, { unreadCount, latest: latestMsg?.clientMsgID, seq: latestMsg?.seq });
      const sent = this.#sent.get(latestMsg?.clientMsgID);
      const isNews = sent && sent.device !== device.name && sent.number >= device.exactFrom;
      if (isNews && !device.told.has(latestMsg.clientMsgID)) {
        this.#violated(2, device, `${sent.text} is the latest of ${conversationID} before it is announced`);
      }
    }
  }

  #total(device, total) {
    if (total === device.total) this.#violated(2, device, `the total is ${total} again`);
    device.total = total;
    if (device.view === undefined) return;
    const shown = sum([...device.view.values()].map(({ unreadCount }) => unreadCount));
    if (total !== shown) this.#violated(1, device, `a total of ${total}, but the conversations told have ${shown}`);
  }

  #sendState(device, { clientMsgID, status, sendError }) {
    const sent = this.#sent.get(clientMsgID);
    sent.told += 1;
    if (sent.device !== device.name) this.#violated(7, device, `the outcome of ${sent.text} of ${sent.device}`);
    if (sent.told > 1) this.#violated(7, device, `the outcome of ${sent.text} told ${sent.told} times`);
    if (status === 3 && sendError.errCode === REFUSED && sent.outcome !== 'accepted') sent.outcome = 'refused';
    else if (status !== 2) this.#violated(7, device, `${sent.text} ended as ${status}`);
  }

  /**
   * Whether the server has what was accepted: once, and what one device sent into a chat in the order of the calls.
   * @param logs chat -> [{ seq, clientMsgID, text }] as the server has them, ascending
   * @param refusals how many sends the server refused
   */
  checkLogs(logs, refusals) {
    const [problems, stored] = [[], new Map()];
    for (const [chat, log] of logs) {
      const last = new Map();
      for (const { clientMsgID, text } of log) {
        const sent = this.#sent.get(clientMsgID);
        stored.set(clientMsgID, (stored.get(clientMsgID) ?? 0) + 1);
        if (sent?.chat !== chat || sent.text !== text) problems.push(`I4 server: ${text} in ${chat}: nobody sent that`);
        else if (sent.number <= (last.get(sent.device) ?? -1) && stored.get(clientMsgID) === 1) {
          problems.push(`I2 server: ${text} overtaken by a younger message of ${sent.device}`);
        }
        if (sent) last.set(sent.device, Math.max(sent.number, last.get(sent.device) ?? -1));
      }
    }
    let refused = 0;
    for (const [clientMsgID, { text, outcome, told, unheard }] of this.#sent) {
      const times = stored.get(clientMsgID) ?? 0;
      if (outcome === 'refused') refused += 1;
      const fits = outcome === 'refused' ? times === 0 : times === 1 || (times === 0 && outcome === 'gone');
      if (!fits) problems.push(`I${times > 1 ? 4 : 3} server: ${text} is ${outcome} and stored ${times} times`);
      if (outcome === 'pending' && !unheard && told === 0) problems.push(`I7 the outcome of ${text} is never told`);
    }
    if (refused > refusals) problems.push(`I7 ${refused} sends are refused, ${refusals} of them by the server`);
    return problems;
  }

  /**
   * Whether a device that is in step shows what the server has.
   * @param logs as above, of the chats of this user
   * @param read userID -> chat -> the server's read cursor
   * @param shown { conversations, histories: chat -> messages, total, unsent }: answers of the device's queries
   * @param compared it has compared itself with the server since the last fault; else pushes alone brought it here
   */
  checkDevice(name, logs, read, shown, { compared }) {
    const device = this.#devices.get(name);
    const problems = [];
    const wrong = (invariant, what) => problems.push(`I${invariant} ${name}: ${what}`);
    const rows = new Map(shown.conversations.map((row) => [row.conversationID, row]));
    if (rows.size !== shown.conversations.length) wrong(4, 'a conversation is listed twice');
    if (shown.unsent !== 0) wrong(7, `${shown.unsent} messages are still on their way`);
    if (shown.total !== sum([...rows.values()].map(({ unreadCount }) => unreadCount))) wrong(5, `total ${shown.total}`);
    for (const [chat, log] of logs) {
      const history = shown.histories.get(chat);
      if (!Array.isArray(history)) wrong(9, `the history of ${chat} is ${history}`);
      else if (log.length + history.length > 0) {
        this.#checkChat({ device, chat, log, read, row: rows.get(chat), history, compared, wrong });
      }
    }
    if ((device.total ?? shown.total) !== shown.total) wrong(2, `heard a total of ${device.total}, has ${shown.total}`);
    return problems;
  }

  #checkChat({ device, chat, log, read, row, history, compared, wrong }) {
    const placed = history.filter(({ seq }) => seq > 0);
    const word = ({ seq, clientMsgID }) => `${seq}:${this.#sent.get(clientMsgID)?.text ?? clientMsgID}`;
    const differs = difference(placed.map(word), log.map(word));
    if (differs) wrong(3, `history of ${chat} ${differs}`);
    if (new Set(history.map(({ clientMsgID }) => clientMsgID)).size < history.length) wrong(4, `doubles in ${chat}`);
    for (const message of history) {
      const { clientMsgID, seq, status, textElem } = message;
      const sent = this.#sent.get(clientMsgID);
      const failed = seq === 0 && sent?.outcome === 'refused' && sent.device === device.name;
      const fits = failed ? status === 3 : status === 2 && seq > 0;
      if (!fits) wrong(7, `${sent?.text} has status ${status}, seq ${seq}`);
      if (textElem.content !== sent?.text) wrong(4, `${textElem.content} was never sent`);
    }
    for (const entry of log) {
      const { device: sender, number, text } = this.#sent.get(entry.clientMsgID) ?? {};
      if (sender === undefined || sender === device.name || number < device.exactFrom) continue;
      if (!device.told.has(entry.clientMsgID)) wrong(3, `${text} of ${chat} was never announced`);
    }
    const latest = row?.latestMsg?.clientMsgID;
    if (latest !== history.at(-1)?.clientMsgID) wrong(6, `latest of ${chat}: ${row?.latestMsg?.textElem.content}`);
    const told = device.view?.get(chat);
    if (told && (told.unreadCount !== row?.unreadCount || told.latest !== latest)) {
      wrong(2, `${chat} as told is ${JSON.stringify(told)}, its row has ${row?.unreadCount} unread`);
    }
    if (row) this.#checkRead({ device, chat, log, read, row, history, compared, wrong });
  }

  #checkRead({ device, chat, log, read, row, history, compared, wrong }) {
    const senderOf = (entry) => this.#devices.get(this.#sent.get(entry.clientMsgID)?.device)?.userID;
    const { hasReadSeq: cursor, unreadCount } = row;
    const newest = read.get(device.userID).get(chat) ?? 0;
    const unread = log.filter((entry) => entry.seq > cursor && senderOf(entry) !== device.userID).length;
    if (unreadCount !== unread) wrong(5, `${chat} has ${unreadCount} unread, not ${unread} above ${cursor}`);
    if (cursor < (device.cursors.get(chat) ?? 0)) wrong(5, `the cursor of ${chat} went back to ${cursor}`);
    // the server moves it when the user sends, too; a device does not take that for reading
    if (cursor > newest) wrong(5, `the cursor of ${chat} is at ${cursor}, the server's at ${newest}`);
    const readBy = (user) => Math.max(...[...this.#devices.values()].map(({ userID, marks }) => (
      userID === user ? marks.get(chat) ?? 0 : 0
    )));
    const marked = compared ? readBy(device.userID) : device.marks.get(chat) ?? 0;
    if (cursor < marked) wrong(5, `the cursor of ${chat} is at ${cursor}, read up to ${marked}`);
    const standsOn = log.find(({ seq }) => seq === newest);
    if (compared && cursor < newest && standsOn && senderOf(standsOn) !== device.userID) {
      wrong(5, `the cursor of ${chat} is at ${cursor}, the server's at ${newest}`);
    }
    const peer = [...read.keys()].find((userID) => userID !== device.userID && chat.includes(userID));
    for (const { seq, sendID, isRead, textElem: { content } } of history) {
      const may = sendID === device.userID ? seq > 0 && seq <= (read.get(peer).get(chat) ?? 0) : seq <= cursor;
      if (isRead && !may) wrong(5, `${content} is read, but not by its receiver`);
      // below what the reader wrote himself the server's cursor went ahead, and no receipt is certain
      const sure = compared && seq <= readBy(peer) && !log.some((entry) => entry.seq > seq && senderOf(entry) === peer);
      const must = sendID === device.userID ? may && sure : may;
      if (!isRead && must) wrong(5, `${content} is not read, but its receiver has read it`);
    }
  }

  /** Everything was checked: later events continue from what this device shows. */
  rests(name, { conversations, total }) {
    const device = this.#devices.get(name);
    device.total ??= total;
    device.view = new Map();
    for (const { conversationID, unreadCount, latestMsg, hasReadSeq } of conversations) {
      device.view.set(conversationID, { unreadCount, latest: latestMsg?.clientMsgID, seq: latestMsg?.seq });
      device.cursors.set(conversationID, hasReadSeq);
      device.appeared.add(conversationID);
    }
    this.#restedAt = this.#sent.size;
  }
}
