//! Work on many that can fail because of one: then each half is tried by itself, until the one stands alone.

use std::ops::Range;

use service::{ProblemResponse, StoreError};

/// Does `attempt` on `0..count`, in parts if it has to. An answer for each, in order; those of a part that failed for good are
/// all the same problem, whose cause is logged once.
pub(super) async fn by_halves<A, F>(
    count: usize,
    attempt: impl Fn(Range<usize>) -> F,
) -> Vec<Result<A, ProblemResponse>>
where
    F: Future<Output = Result<Vec<A>, StoreError>>,
{
    let mut answers = Vec::with_capacity(count);
    // The part that is next stands last. At most one for each halving, and one more.
    let mut parts = Vec::from([Range { start: 0, end: count }]);
    while let Some(part) = parts.pop() {
        match attempt(part.clone()).await {
            Ok(done) => answers.extend(done.into_iter().map(Ok)),
            Err(error) if part.len() > 1 && may_be_of_one(&error) => {
                tracing::warn!(%error, count = part.len(), "trying by halves");
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(error) => {
                let problem = ProblemResponse::from(error);
                answers.extend(part.map(|_| Err(problem.clone())));
            }
        }
    }
    answers
}

/// Whether the others might do without the one. Where Postgres is away, or nobody knows whether it has committed, everybody
/// has to come again.
fn may_be_of_one(error: &StoreError) -> bool {
    matches!(error, StoreError::Statement(_) | StoreError::Damaged(_) | StoreError::Conflict(_))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What each of eight is told if those in `bad` damage every attempt that they take part in, and what was attempted.
    async fn told(bad: &[usize]) -> (Vec<Result<usize, u16>>, Vec<Range<usize>>) {
        let tried = RefCell::new(Vec::new());
        let answers = by_halves(8, |part| {
            tried.borrow_mut().push(part.clone());
            let is_bad = bad.iter().any(|place| part.contains(place));
            async move { if is_bad { Err(StoreError::damaged("bad")) } else { Ok(part.collect()) } }
        });
        let answers = answers.await.into_iter().map(|answer| answer.map_err(|problem| problem.0.status));
        (answers.collect(), tried.into_inner())
    }

    #[tokio::test]
    async fn one_bad_of_eight_harms_nobody_else() {
        let (answers, tried) = told(&[5]).await;
        let expected: Vec<_> = (0..8).map(|place| if place == 5 { Err(500) } else { Ok(place) }).collect();
        assert_eq!(answers, expected);
        assert_eq!(tried, [0..8, 0..4, 4..8, 4..6, 4..5, 5..6, 6..8]);
        assert_eq!(told(&[]).await.1.len(), 1);
        assert_eq!(told(&[0, 1, 2, 3, 4, 5, 6, 7]).await.0, vec![Err(500); 8]);
    }

    #[tokio::test]
    async fn an_outage_is_everybodys() {
        let answers = by_halves(3, |_| async { Err::<Vec<()>, _>(StoreError::Unavailable("away".into())) });
        let problems: Vec<_> = answers.await.into_iter().map(|answer| answer.unwrap_err().0).collect();
        assert_eq!(problems.len(), 3);
        assert!(problems.iter().all(|p| p.status == 503 && p.retry_after.is_some()));
    }
}
