//! One file with everything, for whoever looks into an incident.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::files::Files;
use crate::record::Record;
use crate::{Error, Result};

/// Writes the files of `files` into one gzip file. It replaces an older one only when it is complete.
pub(crate) fn write(files: &Files, path: Option<&Path>) -> Result<PathBuf> {
    let path = path.map_or_else(|| files.folder().join("openim-export.log.gz"), Path::to_owned);
    let mut part = path.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let written =
        fill(files, &part).and_then(|()| std::fs::rename(&part, &path).map_err(|error| Error::io(&path, error)));
    if written.is_err() {
        // may not exist
        let _ = std::fs::remove_file(&part);
    }
    written.map(|()| path)
}

fn fill(files: &Files, part: &Path) -> Result<()> {
    let failed = |error| Error::io(part, error);
    let mut gzip = GzEncoder::new(BufWriter::new(File::create(part).map_err(failed)?), Compression::default());
    for (file, length) in files.snapshot()? {
        std::io::copy(&mut file.take(length), &mut gzip).map_err(failed)?;
    }
    let fields = [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("os", json!(std::env::consts::OS)),
        ("arch", json!(std::env::consts::ARCH)),
    ];
    let end = Record::own(tracing::Level::INFO, "exported", &fields);
    let finish = |mut gzip: GzEncoder<BufWriter<File>>| {
        gzip.write_all(end.as_bytes())?;
        gzip.write_all(b"\n")?;
        gzip.finish()?.flush()
    };
    finish(gzip).map_err(failed)
}
