//! N-API bindings of openim-node.
