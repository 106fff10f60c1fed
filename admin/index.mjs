import admin from './index.js';

export const { Admin, OpenIMError, MessageStatus, MessageType, Platform } = admin;
