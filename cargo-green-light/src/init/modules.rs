//! The modules of a library, as far as they hold entities and migrations of SeaORM.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Package, TargetKind};
use syn::{Attribute, Item, Meta, Visibility};

use crate::init::member;

/// What is in a library, by the paths that tests write.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// Modules of entities: `shop::user`.
    pub(crate) entities: Vec<String>,
    /// Types that are a `MigratorTrait`: `migration::Migrator`.
    pub(crate) migrators: Vec<String>,
    /// Entities and migrators that tests cannot name, each with its file.
    pub(crate) hidden: Vec<(String, PathBuf)>,
    /// How many public functions stand outside of entities and migrations.
    pub(crate) functions: usize,
}

impl Modules {
    /// Reads the library of a package, or its program if it has no library: then all is hidden.
    pub(crate) fn of(package: &Package) -> Self {
        let library = member::library(package);
        let is_wanted = |kind: &TargetKind| match library {
            Some(_) => !matches!(
                kind,
                TargetKind::Bin
                    | TargetKind::Test
                    | TargetKind::Bench
                    | TargetKind::Example
                    | TargetKind::CustomBuild
            ),
            None => *kind == TargetKind::Bin,
        };
        let mut targets = package.targets.iter();
        let mut modules = Self::default();
        if let Some(target) = targets.find(|target| target.kind.iter().any(is_wanted)) {
            let root = target.src_path.as_std_path();
            let crate_name = target.name.replace('-', "_");
            let here = Place {
                path: crate_name,
                is_public: library.is_some(),
                directory: root.parent().unwrap_or(Path::new("")).to_owned(),
                file: root.to_owned(),
            };
            modules.read_file(&here);
        }
        modules.entities.sort();
        modules
    }

    fn read_file(&mut self, place: &Place) {
        let text = fs::read_to_string(&place.file).unwrap_or_default();
        // What does not parse does not compile: cargo will say so.
        if let Ok(file) = syn::parse_file(&text) {
            self.read(place, &file.items);
        }
    }

    fn read(&mut self, place: &Place, items: &[Item]) {
        let is_entity = items.iter().any(is_entity);
        let mut has_migrations = false;
        if is_entity {
            self.add(place, None);
        }
        for item in items {
            match item {
                Item::Mod(module) if !is_for_tests(&module.attrs) => {
                    let inner = place.inner(module);
                    match &module.content {
                        Some((_, items)) => self.read(&inner, items),
                        None => self.read_file(&inner),
                    }
                }
                Item::Impl(block) => {
                    let of = block
                        .trait_
                        .as_ref()
                        .and_then(|(_, of, _)| of.segments.last());
                    let of = of.map(|of| of.ident.to_string()).unwrap_or_default();
                    has_migrations |= of == "MigrationTrait";
                    if of == "MigratorTrait"
                        && let syn::Type::Path(path) = &*block.self_ty
                        && let Some(name) = path.path.segments.last()
                    {
                        has_migrations = true;
                        let name = name.ident.to_string();
                        let is_public = items.iter().any(|item| {
                            matches!(item, Item::Struct(it) if it.ident == name && is_public(&it.vis))
                        });
                        self.add(place, Some((name, is_public)));
                    }
                }
                _ => {}
            }
        }
        if !is_entity && !has_migrations {
            let functions = items.iter();
            self.functions += functions
                .filter(|item| matches!(item, Item::Fn(function) if is_public(&function.vis)))
                .count();
        }
    }

    /// Adds an entity, whose module is here, or a migrator.
    fn add(&mut self, place: &Place, migrator: Option<(String, bool)>) {
        let path = match &migrator {
            None => place.path.clone(),
            Some((name, _)) => format!("{}::{name}", place.path),
        };
        let is_public = migrator.as_ref().is_none_or(|(_, is_public)| *is_public);
        match (place.is_public && is_public, migrator) {
            (false, _) => self.hidden.push((path, place.file.clone())),
            (true, None) => self.entities.push(path),
            (true, Some(_)) => self.migrators.push(path),
        }
    }
}

/// A module.
struct Place {
    path: String,
    /// Whether tests can name it.
    is_public: bool,
    /// Where the files of its modules are.
    directory: PathBuf,
    file: PathBuf,
}

impl Place {
    /// A module in this one.
    fn inner(&self, module: &syn::ItemMod) -> Self {
        let name = module.ident.to_string();
        let plain = name.trim_start_matches("r#").to_owned();
        let directory = self.directory.join(&plain);
        let beside = self.directory.join(format!("{plain}.rs"));
        let named = module.attrs.iter().find_map(path_of);
        let (file, directory) = match (named, &module.content) {
            (_, Some(_)) => (self.file.clone(), directory),
            (Some(named), None) => {
                let folder = self.file.parent().unwrap_or(Path::new(""));
                let file = folder.join(named);
                let directory = file.parent().unwrap_or(folder).to_owned();
                (file, directory)
            }
            (None, None) if beside.exists() => (beside, directory),
            (None, None) => (directory.join("mod.rs"), directory),
        };
        Self {
            path: format!("{}::{name}", self.path),
            is_public: self.is_public && is_public(&module.vis),
            directory,
            file,
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether it makes its module one of an entity.
fn is_entity(item: &Item) -> bool {
    match item {
        Item::Struct(item) => {
            derives(&item.attrs, "DeriveEntityModel") || derives(&item.attrs, "DeriveEntity")
        }
        _ => false,
    }
}

fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| {
        let mut found = false;
        if attribute.path().is_ident("derive") {
            // What does not parse does not compile.
            let _ = attribute.parse_nested_meta(|derived| {
                let last = derived.path.segments.last();
                found |= last.is_some_and(|last| last.ident == name);
                Ok(())
            });
        }
        found
    })
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// The file of `#[path = ".."]`.
fn path_of(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(value) = &attribute.meta else {
        return None;
    };
    match &value.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) if value.path.is_ident("path") => Some(text.value()),
        _ => None,
    }
}
