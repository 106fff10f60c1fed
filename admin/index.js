'use strict';

// nothing here loads the native binary: a back-end may run where there is none
const { Admin } = require('./admin');
const { MessageStatus, MessageType, Platform } = require('../js/constants');
const { OpenIMError } = require('../js/errors');

module.exports = { Admin, OpenIMError, MessageStatus, MessageType, Platform };
