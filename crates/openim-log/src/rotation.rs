//! Files of bounded size and number: `openim.log` is being written, `openim.1.log` came before it, and so on.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The set of files in a folder.
#[derive(Debug)]
pub(crate) struct Rotation {
    folder: PathBuf,
    max_bytes: u64,
    max_files: u32,
    /// `None` after a failure; the next line tries again.
    current: Option<BufWriter<File>>,
    bytes: u64,
}

impl Rotation {
    /// Goes on where the last process stopped.
    pub(crate) fn open(folder: &Path, max_bytes: u64, max_files: u32) -> std::io::Result<Self> {
        let mut rotation = Self { folder: folder.to_owned(), max_bytes, max_files, current: None, bytes: 0 };
        rotation.current()?;
        Ok(rotation)
    }

    pub(crate) fn set_bounds(&mut self, max_bytes: u64, max_files: u32) {
        for number in max_files..self.max_files {
            // what is no longer kept; a file that is not there needs no removal
            let _ = std::fs::remove_file(self.path(number));
        }
        (self.max_bytes, self.max_files) = (max_bytes, max_files);
    }

    /// Adds a line; begins a new file first if it would not fit.
    pub(crate) fn write(&mut self, line: &str) -> std::io::Result<()> {
        let length = line.len() as u64 + 1;
        if self.bytes > 0 && self.bytes + length > self.max_bytes {
            self.rotate()?;
        }
        let current = self.current()?;
        let written = current.write_all(line.as_bytes()).and_then(|()| current.write_all(b"\n"));
        if written.is_err() {
            self.current = None;
        }
        self.bytes += length;
        written
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.current.as_mut().map_or(Ok(()), Write::flush)
    }

    /// The files for reading, oldest first, as they are now: rotations that follow do not concern them.
    pub(crate) fn snapshot(&mut self) -> std::io::Result<Vec<(File, u64)>> {
        self.flush()?;
        let mut files = Vec::new();
        for number in (0..self.max_files).rev() {
            match File::open(self.path(number)) {
                Ok(file) => {
                    let length = file.metadata()?.len();
                    files.push((file, length));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(if number == 0 { "openim.log".to_owned() } else { format!("openim.{number}.log") })
    }

    fn current(&mut self) -> std::io::Result<&mut BufWriter<File>> {
        if self.current.is_none() {
            let file = OpenOptions::new().create(true).append(true).open(self.path(0))?;
            self.bytes = file.metadata()?.len();
            self.current = Some(BufWriter::new(file));
        }
        self.current.as_mut().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        if let Some(mut current) = self.current.take() {
            current.flush()?;
        }
        if self.max_files == 1 {
            File::create(self.path(0))?;
        }
        for number in (1..self.max_files).rev() {
            match std::fs::rename(self.path(number - 1), self.path(number)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
