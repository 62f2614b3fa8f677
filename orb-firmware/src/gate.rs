//! What the checks that refuse images are called in figures: the kind of refusal, without its values.

use crate::pipeline::CaptureError;

/// The name of the check behind a refusal.
pub(crate) fn name(error: &CaptureError) -> String {
    let name = match error {
        CaptureError::Refused(refusal) => format!("{refusal:?}"),
        CaptureError::Imaging(_) => "Imaging".to_owned(),
    };
    name.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
