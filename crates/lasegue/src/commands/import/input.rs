//! The records of a file or of standard input, a chunk at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use lasegue_protocol::stream::{Raw, Splitter};

/// Records of one chunk.
const MOST_RECORDS: usize = 100;
/// Bytes of one chunk, unless its only record is longer.
const MOST_BYTES: usize = 4 << 20;
/// Bytes read at once.
const BLOCK: usize = 64 << 10;

/// The records of an input, read as they are needed.
pub(super) struct Chunks {
    input: Box<dyn Read>,
    block: Vec<u8>,
    bytes: Option<u64>,
    bytes_read: u64,
    /// None at the end of the input.
    splitter: Option<Splitter>,
    waiting: VecDeque<Raw>,
}

impl Chunks {
    /// The records of `path`, or of standard input for `-`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::of(Box::new(io::stdin()), None));
        }
        let cannot = || format!("{} cannot be opened", path.display());
        let file = File::open(path).with_context(cannot)?;
        let kind = file.metadata().with_context(cannot)?;
        let bytes = kind.is_file().then_some(kind.len());
        Ok(Self::of(Box::new(file), bytes))
    }

    fn of(input: Box<dyn Read>, bytes: Option<u64>) -> Self {
        Self {
            input,
            block: vec![0; BLOCK],
            bytes,
            bytes_read: 0,
            splitter: Some(Splitter::default()),
            waiting: VecDeque::new(),
        }
    }

    /// The length of the input, if it is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// How much of it has been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next records; none at the end.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Vec<Raw>>> {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while chunk.len() < MOST_RECORDS {
            let Some(record) = self.record()? else { break };
            if bytes > 0 && bytes + record.json.len() > MOST_BYTES {
                self.waiting.push_front(record);
                break;
            }
            bytes += record.json.len();
            chunk.push(record);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    fn record(&mut self) -> anyhow::Result<Option<Raw>> {
        while self.waiting.is_empty() {
            let Some(splitter) = &mut self.splitter else { return Ok(None) };
            let read = self.input.read(&mut self.block).context("the input cannot be read")?;
            self.bytes_read += read as u64;
            self.waiting.extend(splitter.push(&self.block[..read]));
            if read == 0 {
                self.waiting.extend(self.splitter.take().and_then(Splitter::finish));
            }
        }
        Ok(self.waiting.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(input: String) -> Vec<Vec<Raw>> {
        let mut chunks = Chunks::of(Box::new(io::Cursor::new(input)), None);
        std::iter::from_fn(|| chunks.next().expect("memory can be read")).collect()
    }

    #[test]
    fn lines_and_the_elements_of_an_array_come_in_chunks_with_their_places() {
        let lines = chunks("{}\n".repeat(250));
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
        assert_eq!((lines[2][49].number, lines[2][49].line), (250, 250));
        let array = chunks("[ {\"a\":\n1},\n{} ]".to_owned());
        assert_eq!(array[0].iter().map(|record| record.line).collect::<Vec<_>>(), [1, 3]);
        assert!(chunks(String::new()).is_empty());
    }

    #[test]
    fn long_records_make_short_chunks() {
        let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(MOST_BYTES / 2));
        assert_eq!(chunks(long.repeat(3)).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    }
}
