//! The table's columns made of a file's.

use delta_kernel::expressions::ExpressionStructPatchBuilder;
use delta_kernel::schema::{SchemaRef, StructField, StructType};
use delta_kernel::{
    EngineData, EvaluationHandler, Expression, ExpressionEvaluator, ExpressionRef, KernelResult,
};
use std::sync::Arc;

/// Makes columns, and gives them the table's names then.
struct Named {
    made: Arc<dyn ExpressionEvaluator>,
    named: Arc<dyn ExpressionEvaluator>,
}

impl ExpressionEvaluator for Named {
    fn evaluate(&self, batch: &dyn EngineData) -> KernelResult<Box<dyn EngineData>> {
        self.named.evaluate(self.made.evaluate(batch)?.as_ref())
    }
}

/// What evaluates an expression on a file's columns to the table's.
pub(super) fn evaluator(
    handler: &dyn EvaluationHandler,
    physical: &SchemaRef,
    transform: &ExpressionRef,
    logical: &SchemaRef,
) -> KernelResult<Arc<dyn ExpressionEvaluator>> {
    let single = |from: &SchemaRef, expression: &ExpressionRef, to: &SchemaRef| {
        handler.new_expression_evaluator(Arc::clone(from), Arc::clone(expression), Arc::clone(to).into())
    };
    let Some(made) = made_by(transform, physical, logical)? else {
        return single(physical, transform, logical);
    };
    let rename = Arc::new(Expression::struct_patch(ExpressionStructPatchBuilder::new())?);
    let made = Arc::new(made);
    Ok(Arc::new(Named { made: single(physical, transform, &made)?, named: single(&made, &rename, logical)? }))
}

/// What an expression that lists columns makes, where members of structs have other names in files: the kernel would take such
/// a struct for one of another type.
fn made_by(
    transform: &Expression,
    physical: &SchemaRef,
    logical: &SchemaRef,
) -> KernelResult<Option<StructType>> {
    let Expression::Struct(listed, None) = transform else { return Ok(None) };
    let fields = listed.iter().zip(logical.fields()).map(|(expression, field)| {
        let column = match expression.as_ref() {
            Expression::Column(name) => name.path().first().and_then(|name| physical.field(name)),
            _ => None,
        };
        let data_type = column.map_or_else(|| field.data_type().clone(), |column| column.data_type().clone());
        StructField::new(field.name(), data_type, field.is_nullable())
    });
    let fields: Vec<StructField> = fields.collect();
    let is_same =
        fields.iter().zip(logical.fields()).all(|(made, field)| made.data_type() == field.data_type());
    if is_same { Ok(None) } else { StructType::try_new(fields).map(Some) }
}
