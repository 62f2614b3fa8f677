use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;
use tokio::time::{sleep, timeout};

use super::*;

/// No test waits for it.
const FOR_EVER: Duration = Duration::from_hours(1);

fn habits(workers: usize, most: usize, wait: Duration) -> Habits {
    let measures = Measures { wait: "wait_seconds", batch: "batch_size", work: "work_seconds" };
    Habits { name: "test", measures, workers, most, wait, queue: 8 }
}

/// Answers each question with itself and how many were asked together.
async fn counted(questions: Vec<u32>) -> Vec<(u32, usize)> {
    let together = questions.len();
    questions.into_iter().map(|question| (question, together)).collect()
}

#[tokio::test]
async fn a_batch_waits_for_late_ones_until_it_is_full() {
    let stage = Stage::start(habits(1, 2, FOR_EVER), &Metrics::default(), counted);
    let late = async {
        sleep(Duration::from_millis(20)).await;
        stage.ask(2).await
    };
    assert_eq!(tokio::join!(stage.ask(1), late), (Ok((1, 2)), Ok((2, 2))));
}

#[tokio::test]
async fn a_batch_ends_when_its_time_is_up() {
    let stage = Stage::start(habits(1, 2, Duration::from_millis(1)), &Metrics::default(), counted);
    assert_eq!(stage.ask(1).await, Ok((1, 1)));
}

/// Nine come while both workers are busy with one each: five and four are taken then, and nobody waits for somebody else's
/// turn.
#[tokio::test]
async fn workers_share_those_who_wait() {
    let busy = Arc::new(Barrier::new(3));
    let work = {
        let busy = Arc::clone(&busy);
        move |questions: Vec<u32>| {
            let busy = Arc::clone(&busy);
            async move {
                if questions[0] == 0 {
                    busy.wait().await;
                }
                counted(questions).await
            }
        }
    };
    let habits = Habits { queue: 16, ..habits(2, 100, Duration::ZERO) };
    let stage = Arc::new(Stage::start(habits, &Metrics::default(), work));
    let ask = |question| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.ask(question).await.unwrap().1 })
    };
    let first = ask(0);
    sleep(Duration::from_millis(20)).await; // taken, alone
    let second = ask(0);
    sleep(Duration::from_millis(20)).await;
    let asking: Vec<_> = (1..=9).map(ask).collect();
    sleep(Duration::from_millis(20)).await;
    busy.wait().await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 1));
    let mut together = Vec::new();
    for asked in asking {
        together.push(asked.await.unwrap());
    }
    assert_eq!(together, [5, 5, 5, 5, 5, 3, 3, 3, 1], "a half of those who waited, each time");
}

#[tokio::test]
async fn a_panic_costs_its_batch_only() {
    let habits = habits(1, 1, Duration::ZERO);
    let stage = Stage::start(habits, &Metrics::default(), |questions: Vec<u32>| async move {
        assert_ne!(questions, [13], "on purpose");
        questions
    });
    assert_eq!(stage.ask(12).await, Ok(12));
    assert_eq!(stage.ask(13).await, Err(BrokenDown));
    assert_eq!(stage.ask(14).await, Ok(14));
}

#[tokio::test]
async fn whoever_is_not_answered_learns_it() {
    let nothing = |_: Vec<u32>| async { Vec::<u32>::new() };
    let stage = Stage::start(habits(1, 1, Duration::ZERO), &Metrics::default(), nothing);
    assert_eq!(stage.ask(1).await, Err(BrokenDown));
}

/// Ten times as many as the queue holds: all are answered, always three at once, because each batch waits for two others.
#[tokio::test]
async fn workers_share_a_queue() {
    let (barrier, now, most) = (Arc::new(Barrier::new(3)), Arc::default(), Arc::new(AtomicUsize::new(0)));
    let most_at_once = Arc::clone(&most);
    let work = move |questions: Vec<usize>| {
        let (barrier, now, most) = (Arc::clone(&barrier), Arc::<AtomicUsize>::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            barrier.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            questions
        }
    };
    let stage = Arc::new(Stage::start(habits(3, 1, Duration::ZERO), &Metrics::default(), work));
    let ask = |question| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.ask(question).await })
    };
    let asking: Vec<_> = (0..81).map(ask).collect();
    for (question, asked) in asking.into_iter().enumerate() {
        assert_eq!(asked.await.unwrap(), Ok(question));
    }
    assert_eq!(most_at_once.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_question_of_whoever_hung_up_is_forgotten() {
    let stage = Stage::start(habits(1, 2, FOR_EVER), &Metrics::default(), counted);
    assert!(timeout(Duration::from_millis(1), stage.ask(1)).await.is_err());
    assert_eq!(stage.ask(2).await, Ok((2, 1)));
}
