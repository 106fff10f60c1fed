// Tokens that a server must not accept.
import { createHmac } from 'node:crypto';
import { SECRET } from './servers.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as the server signs them, of any content. */
function sign(claims, secret = SECRET) {
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

const now = () => Math.floor(Date.now() / 1000);

/** Kinds of bad tokens: how each is made, the code that it is refused with, and the event that tells. */
export const BAD_TOKENS = {
  malformed: { make: () => 'not.a.token', code: 'OPENIM_TOKEN_INVALID', event: 'OnUserTokenInvalid' },
  expired: {
    make: (userID, platformID) => sign({ UserID: userID, PlatformID: platformID, exp: now() - 60, iat: now() - 3600 }),
    code: 'OPENIM_TOKEN_EXPIRED',
    event: 'OnUserTokenExpired',
  },
  'never issued': {
    make: (userID, platformID) => sign({ UserID: userID, PlatformID: platformID, exp: now() + 3600, iat: now() - 5 }),
    code: 'OPENIM_TOKEN_INVALID',
    event: 'OnUserTokenInvalid',
  },
  'signed by somebody else': {
    make: (userID, platformID) => (
      sign({ UserID: userID, PlatformID: platformID, exp: now() + 3600, iat: now() - 5 }, 'another secret')
    ),
    code: 'OPENIM_TOKEN_INVALID',
    event: 'OnUserTokenInvalid',
  },
};
