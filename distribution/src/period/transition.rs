//! The life of a period as a table: which step leads where, and when it has been taken already.

use unum_identity::programme::PeriodState;

/// A step in a period's life, asked for by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Freeze who may claim.
    Snapshot,
    /// Put everyone's share aside.
    Fund,
    /// Take claims.
    Open,
    /// Take no more claims; return what nobody claimed.
    Close,
    /// Sign a statement of how it went.
    Seal,
}

/// The step does not follow from where the period stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period is {found}; {step} needs it to be {needed}")]
pub(crate) struct WrongOrder {
    pub(crate) found: PeriodState,
    pub(crate) needed: PeriodState,
    pub(crate) step: &'static str,
}

/// What is left to do for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Take it.
    Next,
    /// It is taken, and no other after it: the same request again.
    Done,
}

impl Transition {
    /// Every step, first to last.
    pub const ALL: [Self; 5] = [Self::Snapshot, Self::Fund, Self::Open, Self::Close, Self::Seal];

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Fund => "fund",
            Self::Open => "open",
            Self::Close => "close",
            Self::Seal => "seal",
        }
    }

    /// Where it starts, and where it leads.
    pub(crate) fn between(self) -> (PeriodState, PeriodState) {
        match self {
            Self::Snapshot => (PeriodState::Planned, PeriodState::Snapshot),
            Self::Fund => (PeriodState::Snapshot, PeriodState::Funded),
            Self::Open => (PeriodState::Funded, PeriodState::Open),
            Self::Close => (PeriodState::Open, PeriodState::Closed),
            Self::Seal => (PeriodState::Closed, PeriodState::Sealed),
        }
    }

    /// Whether the step comes next for a period that stands at `found`.
    pub(crate) fn order(self, found: PeriodState) -> Result<Order, WrongOrder> {
        let (needed, reached) = self.between();
        match found {
            _ if found == needed => Ok(Order::Next),
            _ if found == reached => Ok(Order::Done),
            _ => Err(WrongOrder { found, needed, step: self.name() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_leads_to_the_next_state() {
        for (step, states) in Transition::ALL.into_iter().zip(PeriodState::ALL.windows(2)) {
            assert_eq!(step.between(), (states[0], states[1]));
        }
    }

    #[test]
    fn a_step_is_taken_once_and_in_order() {
        for step in Transition::ALL {
            let taken: Vec<_> =
                PeriodState::ALL.map(|found| step.order(found)).into_iter().flatten().collect();
            assert_eq!(taken, [Order::Next, Order::Done], "{step:?}");
        }
        let error = Transition::Open.order(PeriodState::Snapshot).unwrap_err();
        assert_eq!(error.to_string(), "the period is snapshot; open needs it to be funded");
    }
}
