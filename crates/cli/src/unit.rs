//! What is refreshed at once: a synced table, or all tables of an atomic pipeline.

use crate::context::{Context, Known, pick};
use crate::error::CliError;
use lakefront_model::{Pipeline, SyncedTableSpec};
use lakefront_sync::Engine;
use std::sync::Arc;

/// Tables of one database that are refreshed together.
pub struct Unit {
    pub engine: Arc<Engine>,
    pub specs: Vec<SyncedTableSpec>,
}

impl Unit {
    /// Its name, for people.
    pub fn name(&self) -> String {
        match self.specs.as_slice() {
            [one] => one.name.to_string(),
            several => {
                let pipeline = several.iter().find_map(|spec| spec.pipeline.as_ref());
                format!("pipeline {}", pipeline.map_or("", |pipeline| &pipeline.name))
            }
        }
    }

    fn takes(&self, table: &Known) -> bool {
        let own = self.specs.first().and_then(atomic);
        own.is_some()
            && own == atomic(&table.spec)
            && self.engine.database_name() == table.engine.database_name()
    }
}

impl From<Known> for Unit {
    fn from(table: Known) -> Self {
        Self { engine: table.engine, specs: vec![table.spec] }
    }
}

/// The atomic pipeline that a table belongs to.
fn atomic(spec: &SyncedTableSpec) -> Option<&Pipeline> {
    spec.pipeline.as_ref().filter(|pipeline| pipeline.atomic)
}

/// Tables, those of an atomic pipeline together.
pub fn units(tables: Vec<Known>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for table in tables {
        match units.iter_mut().find(|unit| unit.takes(&table)) {
            Some(unit) => unit.specs.push(table.spec),
            None => units.push(table.into()),
        }
    }
    units
}

/// The tables that names mean, or all, each with the others of its atomic pipeline.
pub async fn named(context: &Context, names: &[String], all: bool) -> Result<Vec<Unit>, CliError> {
    let known = context.all().await?;
    if all {
        return Ok(units(known));
    }
    let (picked, others) = pick(known, names)?;
    let mut units = units(picked);
    for other in others {
        if let Some(unit) = units.iter_mut().find(|unit| unit.takes(&other)) {
            unit.specs.push(other.spec);
        }
    }
    Ok(units)
}
