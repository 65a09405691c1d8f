//! Reads CTranslate2's `model.bin` (binary version 6): an index of named variables, then one at a time.
//!
//! Little endian: u32 version; string spec; u32 revision; u32 count; per variable string name, u8 rank,
//! u32 dims, u8 type, u32 byte count, data; then u32 alias count and pairs of strings (alias, variable).
//! A string is a u16 length, final NUL included, and its bytes.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::ConvertError;

const VERSION: u32 = 6;
const SPEC: &str = "WhisperSpec";
/// No Whisper variable has more axes than a convolution's weight.
const MAX_RANK: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    F32,
    I8,
    I16,
    I32,
    F16,
}

impl Type {
    fn of(id: u8) -> Option<Self> {
        Some(match id {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            _ => return None,
        })
    }

    fn size(self) -> u64 {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

#[derive(Debug)]
struct Variable {
    dims: Vec<usize>,
    kind: Type,
    offset: u64,
    bytes: usize,
}

/// A tensor in row-major order.
#[derive(Debug, PartialEq)]
pub struct Tensor {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    /// Keeps part `index` of `of` equal parts of the first axis.
    pub fn keep_rows(&mut self, index: usize, of: usize) -> Result<(), ConvertError> {
        let rows = self.dims.first().copied().unwrap_or(0);
        if rows % of != 0 {
            return Err(ConvertError::Unsupported(format!("{rows} stacked rows are not {of} equal parts")));
        }
        let part = self.values.len() / of;
        self.values.drain(..part * index);
        self.values.truncate(part);
        self.dims[0] = rows / of;
        Ok(())
    }
}

pub struct Reader<R> {
    source: BufReader<R>,
    variables: BTreeMap<String, Variable>,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the index; every variable is known to lie within the file afterwards.
    pub fn open(mut source: R) -> Result<Self, ConvertError> {
        let length = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut input = Input { source: BufReader::new(source), at: 0, length };

        let version = input.u32("version")?;
        if version != VERSION {
            return Err(ConvertError::Unsupported(format!("binary version {version}, expected {VERSION}")));
        }
        let spec = input.string("spec")?;
        if spec != SPEC {
            return Err(ConvertError::Unsupported(format!("a model of kind {spec:?}, expected {SPEC:?}")));
        }
        let _revision = input.u32("revision")?;
        let count = input.u32("variable count")?;
        let mut variables = BTreeMap::new();
        for _ in 0..count {
            let (name, variable) = input.variable()?;
            variables.insert(name, variable);
        }
        // Aliases only say that the output projection is the token embedding, as in every Whisper model.
        Ok(Self { source: input.source, variables })
    }

    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.variables.get(name).map(|variable| variable.dims.as_slice())
    }

    /// A whole number stored as a variable without axes; `None` if there is no such variable.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, ConvertError> {
        let Some(variable) = self.variables.get(name).filter(|variable| variable.dims.is_empty()) else {
            return Ok(None);
        };
        let kind = variable.kind;
        let bytes = self.bytes(name)?;
        Ok(match (kind, bytes.as_slice()) {
            (Type::I8, &[a]) => Some(i64::from(a as i8)),
            (Type::I16, &[a, b]) => Some(i64::from(i16::from_le_bytes([a, b]))),
            (Type::I32, &[a, b, c, d]) => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            _ => None,
        })
    }

    pub fn floats(&mut self, name: &str) -> Result<Tensor, ConvertError> {
        let bytes = self.bytes(name)?;
        let variable = &self.variables[name];
        let values = match variable.kind {
            Type::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Type::F16 => bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Type::I8 | Type::I16 | Type::I32 => {
                return Err(ConvertError::Unsupported(format!("{name} holds integers: already quantised")));
            }
        };
        Ok(Tensor { dims: variable.dims.clone(), values })
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, ConvertError> {
        let variable =
            self.variables.get(name).ok_or_else(|| ConvertError::Unsupported(format!("no variable {name:?}")))?;
        let mut bytes = vec![0; variable.bytes];
        self.source.seek(SeekFrom::Start(variable.offset))?;
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// The file while its index is read; `at` is the offset of the next byte.
struct Input<R> {
    source: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Input<R> {
    fn variable(&mut self) -> Result<(String, Variable), ConvertError> {
        let name = self.string("variable name")?;
        let rank = self.u8(&name)?;
        if rank > MAX_RANK {
            return Err(ConvertError::Damaged(format!("{name} has {rank} axes")));
        }
        let mut dims = Vec::with_capacity(rank.into());
        for _ in 0..rank {
            dims.push(self.u32(&name)? as usize);
        }
        let id = self.u8(&name)?;
        let kind = Type::of(id).ok_or_else(|| ConvertError::Damaged(format!("{name} has unknown type {id}")))?;
        let bytes = u64::from(self.u32(&name)?);
        let expected = dims.iter().try_fold(kind.size(), |size, &dim| size.checked_mul(dim as u64));
        if expected != Some(bytes) {
            return Err(ConvertError::Damaged(format!("{name} of shape {dims:?} says it has {bytes} bytes")));
        }
        let offset = self.at;
        self.skip(bytes, &name)?;
        Ok((name, Variable { dims, kind, offset, bytes: bytes as usize }))
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ConvertError> {
        self.within(N as u64, what)?;
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u8(&mut self, what: &str) -> Result<u8, ConvertError> {
        Ok(self.take::<1>(what)?[0])
    }

    fn u32(&mut self, what: &str) -> Result<u32, ConvertError> {
        Ok(u32::from_le_bytes(self.take(what)?))
    }

    fn string(&mut self, what: &str) -> Result<String, ConvertError> {
        let length = u16::from_le_bytes(self.take(what)?);
        self.within(length.into(), what)?;
        let mut bytes = vec![0; length.into()];
        self.source.read_exact(&mut bytes)?;
        if bytes.pop() != Some(0) {
            return Err(ConvertError::Damaged(format!("{what}: a string without its end")));
        }
        String::from_utf8(bytes).map_err(|_| ConvertError::Damaged(format!("{what}: a string that is not UTF-8")))
    }

    fn skip(&mut self, bytes: u64, what: &str) -> Result<(), ConvertError> {
        self.within(bytes, what)?;
        // At most u32::MAX, so it fits.
        self.source.seek_relative(bytes as i64)?;
        Ok(())
    }

    /// Counts `bytes` as read, if the file has them.
    fn within(&mut self, bytes: u64, what: &str) -> Result<(), ConvertError> {
        self.at += bytes;
        if self.at > self.length {
            return Err(ConvertError::Damaged(format!("{what}: the file ends at byte {}", self.length)));
        }
        Ok(())
    }
}
