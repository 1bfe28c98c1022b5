//! Which file of a crate imports from which: by `use`, by paths in code, and by paths in the tokens of macros.
//!
//! Resolves paths as rustc does for modules that have a file each. A re-export is followed to the file that
//! defines the item. Code under `#[cfg(test)]` is left out: a test may look at everything.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A path as it is written, split at `::`, or the path of a module from the root of its crate.
type Path = Vec<String>;

/// The imports of a crate: from each file to the files that define what it names, with those names.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// One module.
#[derive(Default)]
struct Module {
    file: String,
    /// What is defined here.
    defined: BTreeSet<String>,
    /// What `use` brings into scope, by the name it has here. A name can have several meanings: under different
    /// `cfg`s, or a type and a function.
    uses: BTreeMap<String, BTreeSet<Path>>,
    /// The modules of `use module::*`.
    globs: BTreeSet<Path>,
    /// All paths that are written here. The re-exports of a `mod.rs` are none: they only pass on.
    paths: BTreeSet<Path>,
}

/// Where something is defined: the file, and its name there.
type Definition<'a> = (&'a str, String);

/// The modules of a crate, by their paths.
#[derive(Default)]
struct Modules {
    by_path: BTreeMap<Path, Module>,
}

/// The imports between `files`, each the name below `src` and the text.
pub(crate) fn imports<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Imports {
    let mut modules = Modules::default();
    let mut only_in_tests = BTreeSet::new();
    for (file, text) in files {
        let parsed =
            syn::parse_file(text).unwrap_or_else(|error| panic!("{file} does not parse: {error}"));
        if is_for_tests(&parsed.attrs) {
            only_in_tests.insert(module_of(file));
        }
        modules.read(file, module_of(file), &parsed.items, &mut only_in_tests);
    }
    let is_only_in_tests = |path: &[String]| {
        only_in_tests
            .iter()
            .any(|above: &Path| path.starts_with(above))
    };
    let mut imports = Imports::new();
    for (path, module) in &modules.by_path {
        if is_only_in_tests(path) {
            continue;
        }
        let imports = imports.entry(module.file.clone()).or_default();
        for written in &module.paths {
            for (file, name) in modules.definitions(path, written, 0) {
                if file != module.file {
                    let names = imports.entry(file.to_owned()).or_default();
                    names.insert(name);
                }
            }
        }
    }
    imports
}

/// The items of a file that do not stand under `#[cfg(test)]`.
pub(crate) fn without_tests(items: &[syn::Item]) -> impl Iterator<Item = &syn::Item> {
    items
        .iter()
        .filter(|item| !attributes(item).is_some_and(is_for_tests))
}

/// The module of a file: `sandbox/mod.rs` and `sandbox.rs` are both `sandbox`.
fn module_of(file: &str) -> Path {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut path: Path = stem.split('/').map(str::to_owned).collect();
    if is_map(file) {
        path.pop();
    }
    path
}

/// Whether a file declares the modules beside it.
fn is_map(file: &str) -> bool {
    file == "lib.rs" || file.rsplit('/').next() == Some("mod.rs")
}

impl Modules {
    fn read(
        &mut self,
        file: &str,
        path: Path,
        items: &[syn::Item],
        only_in_tests: &mut BTreeSet<Path>,
    ) {
        // The same module may stand there once for each `cfg`.
        let mut module = self.by_path.remove(&path).unwrap_or_default();
        module.file = file.to_owned();
        let mut reader = Reader { module };
        for item in items {
            if let syn::Item::Mod(inner) = item {
                let mut path = path.clone();
                path.push(inner.ident.to_string());
                if is_for_tests(&inner.attrs) {
                    only_in_tests.insert(path);
                } else if let Some((_, items)) = &inner.content {
                    self.read(file, path, items, only_in_tests);
                }
            } else {
                reader.module.defined.extend(name_of(item));
                reader.visit_item(item);
            }
        }
        self.by_path.insert(path, reader.module);
    }

    /// The definitions of what `path` means in the module `here`. None for the items of other crates.
    fn definitions(
        &self,
        here: &[String],
        path: &[String],
        depth: usize,
    ) -> BTreeSet<Definition<'_>> {
        // Two modules can import each other by `*`.
        let (Some((first, rest)), 0..16) = (path.split_first(), depth) else {
            return BTreeSet::new();
        };
        match first.as_str() {
            "crate" => self.find(&[], rest, depth),
            "self" => self.find(here, rest, depth),
            "super" => {
                let above = here.split_last().map_or(&[][..], |(_, above)| above);
                match rest.first().map(String::as_str) {
                    Some("super") => self.definitions(above, rest, depth + 1),
                    _ => self.find(above, rest, depth),
                }
            }
            _ if self.has(here, first) => self.find(here, path, depth),
            _ => self.find_by_globs(here, path, depth),
        }
    }

    /// Whether a module declares, defines or imports `name`, other than by `*`.
    fn has(&self, here: &[String], name: &str) -> bool {
        self.by_path.get(here).is_some_and(|module| {
            module.uses.contains_key(name)
                || module.defined.contains(name)
                || self.by_path.contains_key(&child(here, name))
        })
    }

    /// The definitions of `path`, which starts in the module `here`.
    fn find(&self, here: &[String], path: &[String], depth: usize) -> BTreeSet<Definition<'_>> {
        let Some(module) = self.by_path.get(here) else {
            return BTreeSet::new();
        };
        let Some((first, rest)) = path.split_first() else {
            let name = here.last().map_or("crate", String::as_str);
            return BTreeSet::from([(module.file.as_str(), name.to_owned())]);
        };
        let child = child(here, first);
        if self.by_path.contains_key(&child) {
            return self.find(&child, rest, depth);
        }
        if module.defined.contains(first) {
            return BTreeSet::from([(module.file.as_str(), first.clone())]);
        }
        let found: BTreeSet<Definition<'_>> = match module.uses.get(first) {
            Some(targets) => targets
                .iter()
                .flat_map(|target| {
                    self.definitions(here, &[target.as_slice(), rest].concat(), depth + 1)
                })
                .collect(),
            None => self.find_by_globs(here, path, depth),
        };
        // A macro defines what nothing else does. An item of another crate is defined nowhere here.
        if found.is_empty() && !module.uses.contains_key(first) {
            return BTreeSet::from([(module.file.as_str(), first.clone())]);
        }
        found
    }

    /// The definitions of `path` in the modules that `here` imports by `*`.
    fn find_by_globs(
        &self,
        here: &[String],
        path: &[String],
        depth: usize,
    ) -> BTreeSet<Definition<'_>> {
        let mut found = BTreeSet::new();
        let Some(module) = self.by_path.get(here) else {
            return found;
        };
        for glob in &module.globs {
            for opened in self.modules_of(here, glob, depth) {
                if self.has(&opened, &path[0]) {
                    found.extend(self.find(&opened, path, depth + 1));
                }
            }
        }
        found
    }

    /// The modules that `path` means in `here`.
    fn modules_of(&self, here: &[String], path: &[String], depth: usize) -> Vec<Path> {
        let (Some((first, rest)), 0..16) = (path.split_first(), depth) else {
            return vec![here.to_vec()];
        };
        let above = || here.split_last().map_or(&[][..], |(_, above)| above);
        match first.as_str() {
            "crate" => self.modules_of(&[], rest, depth),
            "self" => self.modules_of(here, rest, depth),
            "super" => self.modules_of(above(), rest, depth),
            _ if self.by_path.contains_key(&child(here, first)) => {
                self.modules_of(&child(here, first), rest, depth)
            }
            _ => {
                let module = self.by_path.get(here);
                let targets = module.and_then(|module| module.uses.get(first));
                let targets = targets.into_iter().flatten();
                targets
                    .flat_map(|target| {
                        self.modules_of(here, &[target.as_slice(), rest].concat(), depth + 1)
                    })
                    .collect()
            }
        }
    }
}

fn child(module: &[String], name: &str) -> Path {
    [module, &[name.to_owned()]].concat()
}

/// Collects the paths and the imports of one module.
struct Reader {
    module: Module,
}

impl Reader {
    fn import(&mut self, item: &syn::ItemUse) {
        // Another crate's.
        if item.leading_colon.is_some() {
            return;
        }
        let passes_on =
            is_map(&self.module.file) && !matches!(item.vis, syn::Visibility::Inherited);
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Path::new(), &mut leaves);
        for (path, name) in leaves {
            if !passes_on {
                self.module.paths.insert(path.clone());
            }
            match name {
                // `pub(crate) use name;` makes a macro known by its path.
                Some(name) if path == [name.as_str()] => drop(self.module.defined.insert(name)),
                Some(name) => {
                    self.module.uses.entry(name).or_default().insert(path);
                }
                None => drop(self.module.globs.insert(path)),
            }
        }
    }

    /// Collects the paths in the tokens of a macro. `before` is what stands before the braces of a `use`.
    fn scan(&mut self, tokens: TokenStream, before: &[String]) {
        let mut path = Path::new();
        let mut colons = 0;
        let mut is_of_another_crate = false;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 || path.is_empty() {
                        self.end(before, &mut path);
                        is_of_another_crate = colons == 2;
                    }
                    if !is_of_another_crate {
                        path.push(name.to_string());
                    }
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    if colons == 2 && group.delimiter() == Delimiter::Brace {
                        let before = [before, path.as_slice()].concat();
                        self.scan(group.stream(), &before);
                        path.clear();
                    } else {
                        self.end(before, &mut path);
                        self.scan(group.stream(), &[]);
                    }
                    colons = 0;
                }
                _ => {
                    self.end(before, &mut path);
                    colons = 0;
                }
            }
        }
        self.end(before, &mut path);
    }

    /// Keeps a path that has ended. A single word is local, or known by a `use`.
    fn end(&mut self, before: &[String], path: &mut Path) {
        let written = std::mem::take(path);
        if !written.is_empty() && before.len() + written.len() > 1 {
            let mut whole = [before, written.as_slice()].concat();
            if whole.last().is_some_and(|last| last == "self") {
                whole.pop();
            }
            self.module.paths.insert(whole);
        }
    }
}

impl Visit<'_> for Reader {
    fn visit_item(&mut self, item: &syn::Item) {
        if !attributes(item).is_some_and(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.import(item);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        if path.leading_colon.is_none() {
            let words = path.segments.iter();
            let mut words = words.map(|segment| segment.ident.to_string()).collect();
            self.end(&[], &mut words);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone(), &[]);
    }

    // `pub(in crate::engine)` imports nothing.
    fn visit_visibility(&mut self, _: &syn::Visibility) {}

    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}

/// The name that an item defines.
fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn attributes(item: &syn::Item) -> Option<&[syn::Attribute]> {
    Some(match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => return None,
    })
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, ..))]` is among the attributes.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    fn asks_for_test(condition: &syn::Meta) -> bool {
        match condition {
            syn::Meta::Path(path) => path.is_ident("test"),
            syn::Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(
                    syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
                )
                .is_ok_and(|conditions| conditions.iter().any(asks_for_test)),
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Meta>()
                .is_ok_and(|condition| asks_for_test(&condition))
    })
}

/// The leaves of a `use`: each path, and the name that it has here. `None` is a `*`.
fn flatten(tree: &syn::UseTree, before: &mut Path, leaves: &mut Vec<(Path, Option<String>)>) {
    let mut leaf = |name: &syn::Ident, known: &syn::Ident, before: &Path| {
        let mut path = before.clone();
        if name != "self" {
            path.push(name.to_string());
        }
        let known = match known.to_string() {
            known if known == "self" => path.last().cloned(),
            known => Some(known),
        };
        leaves.push((path, known));
    };
    match tree {
        syn::UseTree::Path(tree) => {
            before.push(tree.ident.to_string());
            flatten(&tree.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Name(tree) => leaf(&tree.ident, &tree.ident, before),
        syn::UseTree::Rename(tree) => leaf(&tree.ident, &tree.rename, before),
        syn::UseTree::Glob(_) => leaves.push((before.clone(), None)),
        syn::UseTree::Group(tree) => {
            for tree in &tree.items {
                flatten(tree, before, leaves);
            }
        }
    }
}
