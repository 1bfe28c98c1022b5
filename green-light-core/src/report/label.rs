//! The name of one instance of a fixture in the event log and in `GREEN_LIGHT_SHOW`.

use std::fmt;

use crate::fixture::Definition;

/// `name[@module]#n`: the n-th instance of a definition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    pub(crate) definition: &'static Definition,
    pub(crate) number: u32,
}

impl Label {
    /// The next instance of `definition`.
    pub(crate) fn next(definition: &'static Definition) -> Self {
        Self {
            definition,
            number: definition.instances.next(),
        }
    }

    /// The module it was declared in, without the crate; `None` at a crate's root.
    pub(crate) fn at(&self) -> Option<&'static str> {
        self.definition
            .module
            .split_once("::")
            .map(|(_, module)| module)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.definition.name)?;
        if let Some(module) = self.at() {
            write!(f, "@{module}")?;
        }
        write!(f, "#{}", self.number)
    }
}
