// Open files: a connection is one, an account on disk about ten. Systems bound how many a process may have.

/** How many files this process, and those that it starts, may have open at a time. Node raises it as far as it may. */
export function openFileLimit() {
  const limit = process.report.getReport().userLimits?.open_files?.hard;
  // Windows has no such limit, and a limit may be "unlimited"
  return typeof limit === 'number' ? limit : Infinity;
}

/** Ends with what to do where the limit is below `needed`. */
export function needOpenFiles(needed, what) {
  const limit = openFileLimit();
  if (limit < needed) {
    throw new Error(`${what} need ${needed} open files, and this shell allows ${limit}: run "ulimit -n ${needed}" before, `
      + 'as root or with a higher nofile in /etc/security/limits.conf');
  }
}
