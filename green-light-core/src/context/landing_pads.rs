//! Whether an unwinding that starts here would be caught, or would abort the process.
//!
//! An unwinding must not leave a destructor that runs because of another unwinding. The compiler marks the calls
//! of such destructors in the tables of the unwinder: their handler is a *filter* that lets nothing through, while
//! that of `catch_unwind` is a *catch*. So the first handler up the stack is the answer, the same that the
//! unwinder would find. [`std::thread::panicking`] cannot give it: it counts all stacks of the thread.
//!
//! Format: the "LSDA" of the Itanium C++ ABI, as far as rustc uses it. What is not understood counts as an abort.

#![expect(
    unsafe_code,
    reason = "the tables of the unwinder are read through pointers"
)]

use std::thread;

/// "There is none", for the encodings in the header.
const OMITTED: u8 = 0xff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    Catch,
    /// Ends the process.
    Filter,
}

/// Whether a `wait` may unwind the stack from here.
#[inline]
pub(crate) fn may_unwind() -> bool {
    // While nothing on this thread unwinds, no destructor runs because of it.
    !thread::panicking() || first_handler() == Some(Handler::Catch)
}

#[cold]
fn first_handler() -> Option<Handler> {
    look_up_the_stack(&mut |tables, offset| handler(tables, offset))
}

/// The handler for the instruction at `offset` of the function whose tables these are, if it has one.
fn handler(mut tables: Tables, offset: usize) -> Option<Handler> {
    if tables.byte() != OMITTED {
        // rustc always counts landing pads from the start of the function.
        return Some(Handler::Filter);
    }
    if tables.byte() != OMITTED {
        unsigned(&mut tables);
    }
    let encoding = tables.byte();
    let length = unsigned(&mut tables);
    let actions = tables.ahead(length);
    while tables.distance(&actions) > 0 {
        let (Some(start), Some(covered), Some(pad)) = (
            number(&mut tables, encoding),
            number(&mut tables, encoding),
            number(&mut tables, encoding),
        ) else {
            return Some(Handler::Filter);
        };
        let action = unsigned(&mut tables);
        // Sorted by start.
        if offset < start {
            break;
        }
        if offset < start + covered {
            if pad == 0 || action == 0 {
                // Nothing to do here, or only destructors.
                return None;
            }
            return match signed(&mut actions.ahead(action - 1)) {
                0 => None,
                kind if kind > 0 => Some(Handler::Catch),
                _ => Some(Handler::Filter),
            };
        }
    }
    None
}

/// A number of the call-site table.
fn number(tables: &mut Tables, encoding: u8) -> Option<usize> {
    let fixed = |tables: &mut Tables, bytes: u32| {
        let mut value = [0; size_of::<usize>()];
        for byte in value.iter_mut().take(bytes as usize) {
            *byte = tables.byte();
        }
        usize::from_le_bytes(value)
    };
    match encoding {
        0x01 => Some(unsigned(tables)),
        0x02 if cfg!(target_endian = "little") => Some(fixed(tables, 2)),
        0x03 if cfg!(target_endian = "little") => Some(fixed(tables, 4)),
        _ => None,
    }
}

/// A number in the ULEB128 format.
fn unsigned(tables: &mut Tables) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = tables.byte();
        value |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

/// A number in the SLEB128 format.
fn signed(tables: &mut Tables) -> isize {
    let (mut value, mut shift) = (0_isize, 0);
    loop {
        let byte = tables.byte();
        value |= isize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            let negative = byte & 0x40 != 0 && shift < isize::BITS;
            return if negative {
                value | (-1 << shift)
            } else {
                value
            };
        }
    }
}

/// The unwinder's tables of one frame, read byte by byte.
struct Tables {
    next: *const u8,
}

impl Tables {
    /// The next byte.
    fn byte(&mut self) -> u8 {
        // SAFETY: `next` starts at the tables that the compiler wrote for a function of this program, and the one
        // reader, `handler`, stays inside: it follows the lengths they state, as the unwinder does.
        unsafe {
            let byte = self.next.read();
            self.next = self.next.add(1);
            byte
        }
    }

    /// The same tables, `bytes` further on.
    fn ahead(&self, bytes: usize) -> Self {
        Self {
            next: self.next.wrapping_add(bytes),
        }
    }

    /// How far `other` is ahead of this.
    fn distance(&self, other: &Self) -> usize {
        other.next.addr() - self.next.addr()
    }
}

/// Shows each frame of this stack, innermost first, until `look` has an answer: the frame's tables and the
/// offset of its current instruction in its function.
#[cfg(all(unix, panic = "unwind", not(target_arch = "arm")))]
fn look_up_the_stack<T>(look: &mut dyn FnMut(Tables, usize) -> Option<T>) -> Option<T> {
    use std::ffi::{c_int, c_void};

    const CONTINUE: c_int = 0;
    const STOP: c_int = 4;

    unsafe extern "C" {
        fn _Unwind_Backtrace(
            each: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
            argument: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetLanguageSpecificData(frame: *mut c_void) -> *const u8;
        fn _Unwind_GetRegionStart(frame: *mut c_void) -> usize;
        fn _Unwind_GetIPInfo(frame: *mut c_void, before: *mut c_int) -> usize;
    }

    struct Walk<'a, T> {
        look: &'a mut dyn FnMut(Tables, usize) -> Option<T>,
        answer: Option<T>,
    }

    extern "C" fn each<T>(frame: *mut c_void, walk: *mut c_void) -> c_int {
        // SAFETY: `look_up_the_stack` passes its own `Walk<T>`, which nothing else uses meanwhile.
        let walk = unsafe { &mut *walk.cast::<Walk<'_, T>>() };
        let mut before = 0;
        // SAFETY: `frame` is the unwinder's, valid during this call; these functions only read it.
        let (next, start, at) = unsafe {
            (
                _Unwind_GetLanguageSpecificData(frame),
                _Unwind_GetRegionStart(frame),
                _Unwind_GetIPInfo(frame, &raw mut before),
            )
        };
        if next.is_null() {
            return CONTINUE;
        }
        // The address a call returns to belongs to the next instruction.
        let at = if before == 0 { at - 1 } else { at };
        walk.answer = (walk.look)(Tables { next }, at - start);
        if walk.answer.is_some() {
            STOP
        } else {
            CONTINUE
        }
    }

    let mut walk = Walk { look, answer: None };
    // SAFETY: `each::<T>` gets the pointer it expects, and does not unwind: `look` is arithmetic.
    unsafe { _Unwind_Backtrace(each::<T>, std::ptr::from_mut(&mut walk).cast()) };
    walk.answer
}

/// Elsewhere the unwinder does not show its tables.
#[cfg(not(all(unix, panic = "unwind", not(target_arch = "arm"))))]
fn look_up_the_stack<T>(_: &mut dyn FnMut(Tables, usize) -> Option<T>) -> Option<T> {
    None
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::Mutex;

    use super::*;

    static SEEN: Mutex<Vec<Option<Handler>>> = Mutex::new(Vec::new());

    struct Look;

    impl Drop for Look {
        fn drop(&mut self) {
            SEEN.lock().unwrap().push(first_handler());
            // A catch inside of the destructor is in between.
            let inside = catch_unwind(first_handler);
            SEEN.lock().unwrap().push(inside.unwrap());
        }
    }

    #[test]
    fn a_destructor_is_told_apart_by_why_it_runs() {
        let _ = catch_unwind(|| drop(Look));
        let _ = catch_unwind(|| {
            let _look = Look;
            std::panic::resume_unwind(Box::new(()));
        });
        let (catch, filter) = (Some(Handler::Catch), Some(Handler::Filter));
        assert_eq!(*SEEN.lock().unwrap(), [catch, catch, filter, catch]);
    }
}
