//! Protobuf messages, as far as it takes to read a model file and write parts of it again. Pure.
//!
//! The wire format: <https://protobuf.dev/programming-guides/encoding/>.

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub number: u64,
    /// All of it, as it stands in the message.
    pub whole: &'a [u8],
    /// Text, bytes, a message or packed numbers; empty if the field is a number.
    pub bytes: &'a [u8],
    /// The number, if it is one of variable length.
    pub value: Option<u64>,
}

/// The fields of a message, in order; ends early where it is malformed.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0;
        let tag = self.varint()?;
        let (mut bytes, mut value) = (&start[..0], None);
        match tag & 7 {
            0 => value = Some(self.varint()?),
            1 => drop(self.take(8)?),
            2 => {
                let length = self.varint()?;
                bytes = self.take(length)?;
            }
            5 => drop(self.take(4)?),
            _ => return None,
        }
        Some(Field { number: tag >> 3, whole: &start[..start.len() - self.0.len()], bytes, value })
    }
}

/// What the first field of this number holds.
pub fn first(message: &[u8], number: u64) -> Option<&[u8]> {
    Fields(message).find(|field| field.number == number).map(|field| field.bytes)
}

/// The text in the first field of this number.
pub fn text(message: &[u8], number: u64) -> Option<&str> {
    std::str::from_utf8(first(message, number)?).ok()
}

/// The numbers in all fields of this number, packed or not.
pub fn numbers(message: &[u8], number: u64) -> Vec<u64> {
    let mut found = Vec::new();
    for field in Fields(message).filter(|field| field.number == number) {
        found.extend(field.value);
        let mut packed = Fields(field.bytes);
        found.extend(std::iter::from_fn(|| packed.varint()));
    }
    found
}

/// A field that holds text, bytes or a message.
pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 12);
    put(&mut out, number << 3 | 2);
    put(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// A field that holds a number.
pub fn number_field(number: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, number << 3);
    put(&mut out, value);
    out
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let message = [number_field(1, 300), field(2, b"two"), field(20, &[7; 200]), number_field(1, 0)].concat();
        let read: Vec<_> = Fields(&message).map(|f| (f.number, f.value, f.bytes.len(), f.whole.len())).collect();
        assert_eq!(read, [(1, Some(300), 0, 3), (2, None, 3, 5), (20, None, 200, 204), (1, Some(0), 0, 2)]);
        assert_eq!((text(&message, 2), first(&message, 3)), (Some("two"), None));
        let packed = [number_field(1, 5), field(1, &[1, 0x80, 2])].concat();
        assert_eq!(numbers(&packed, 1), [5, 1, 256]);
    }

    #[test]
    fn broken_bytes_end_a_message() {
        let whole = [field(2, b"two"), number_field(1, 300)].concat();
        for cut in 0..whole.len() {
            assert!(Fields(&whole[..cut]).count() < 2);
        }
        assert_eq!(Fields(&[0xff; 30]).count(), 0);
    }
}
