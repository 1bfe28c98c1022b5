//! What the contexts of one seed share, and the values they keep on their stacks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use green_light_core::context::{CancelToken, try_wait};

use crate::support::pause;

/// A panic that the program plans, raised without a message.
pub(super) struct Planned;

/// What all contexts of a seed share.
pub(super) struct World {
    pub(super) random: Cell<u64>,
    /// Steps that programs may still take.
    pub(super) budget: Cell<u32>,
    /// Values that were made and not dropped.
    pub(super) alive: Cell<i64>,
    /// Contexts that were entered and have not ended, and the most there were.
    pub(super) entered: Cell<usize>,
    pub(super) most: Cell<usize>,
    /// Contexts that had the stack of the thread.
    pub(super) on_thread_stack: Cell<u64>,
    pub(super) tokens: RefCell<Vec<CancelToken>>,
    pub(super) says: bool,
}

impl World {
    /// A number below `limit`, by `splitmix64`.
    pub(super) fn below(&self, limit: u64) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    #[expect(
        clippy::print_stderr,
        reason = "a seed that is replayed tells what it does"
    )]
    pub(super) fn say(&self, what: &str) {
        if self.says {
            eprintln!("{what}");
        }
    }
}

/// A value on a stack that is dropped once, with a pattern that nobody else writes.
pub(super) struct Value {
    world: Rc<World>,
    pattern: [u64; 16],
    /// How often its destructor waits.
    waits: u64,
}

impl Value {
    pub(super) fn new(world: &Rc<World>, waits: u64) -> Self {
        world.alive.set(world.alive.get() + 1);
        let pattern = [world.below(u64::MAX); 16];
        Value {
            world: Rc::clone(world),
            pattern,
            waits,
        }
    }

    pub(super) fn check(&self) {
        assert!(
            self.pattern.iter().all(|word| *word == self.pattern[0]),
            "a stack was overwritten"
        );
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.check();
        self.world.alive.set(self.world.alive.get() - 1);
        for _ in 0..self.waits {
            // Outside of an unwinding this may itself begin one.
            let _ = try_wait(pause());
        }
        self.check();
    }
}
