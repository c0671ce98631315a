//! What the store does with deliveries, against a model of it.

use proptest::prelude::*;

use super::Bench;
use crate::{
    domain::{DeliveryState, Endpoint, EndpointState, Heard},
    store::{ClaimedDelivery, DeliveryEnd, NewDelivery, Tx},
};

/// Places of one endpoint.
const EACH: usize = 2;
const URLS: [&str; 3] = ["https://a.example/", "https://a.example/b", "https://c.example/"];

#[derive(Clone, Copy, Debug)]
enum Act {
    Write(usize),
    Claim,
    End(usize, DeliveryEnd, Heard),
    Hold,
    Switch(usize, bool),
    Redeliver(usize),
    /// Every worker dies.
    Requeue,
}

struct Message {
    id: String,
    endpoint: usize,
    state: DeliveryState,
    manual: bool,
    attempts: usize,
}

#[derive(Default)]
struct Model {
    messages: Vec<Message>,
    off: [bool; 3],
    known: [bool; 3],
    /// What is being sent, and what was until its worker was taken for dead.
    claims: Vec<ClaimedDelivery>,
    stale: Vec<ClaimedDelivery>,
}

impl Model {
    fn at(&mut self, id: &str) -> &mut Message {
        self.messages.iter_mut().find(|one| one.id == id).unwrap()
    }

    fn is_claimable(&self, message: &Message) -> bool {
        let on_their_way = |one: &&Message| one.endpoint == message.endpoint && one.state == DeliveryState::Sending;
        message.state == DeliveryState::Pending
            && !self.off[message.endpoint]
            && self.messages.iter().filter(on_their_way).count() < EACH
    }

    async fn play(&mut self, bench: &Bench, tx: &Tx, act: Act) {
        match act {
            Act::Write(endpoint) => {
                let (id, url) = (format!("msg_{}", self.messages.len()), format!("{}?n=1", URLS[endpoint]));
                let (event, body) = ("task.completed".to_owned(), String::new());
                let new = NewDelivery { id: id.clone(), task_id: bench.task, url, event, body, secret: None };
                tx.insert_delivery(new, 0).await.unwrap();
                self.messages.push(Message { id, endpoint, state: DeliveryState::Pending, manual: false, attempts: 0 });
            }
            Act::Claim => {
                let claimed = tx.claim_deliveries("me", 60_000, 1, EACH).await.unwrap().pop();
                let Some(claimed) = claimed else {
                    assert!(!self.messages.iter().any(|one| self.is_claimable(one)), "nothing is claimed");
                    return;
                };
                let message = self.messages.iter().find(|one| one.id == claimed.id).unwrap();
                assert!(self.is_claimable(message) && claimed.manual == message.manual, "{claimed:?}");
                self.at(&claimed.id).state = DeliveryState::Sending;
                self.claims.push(claimed);
            }
            Act::End(which, end, heard) => {
                for stale in self.stale.drain(..) {
                    assert!(!tx.end_attempt("me", &stale, 1, None, None, end).await.unwrap(), "a stale claim writes");
                }
                if self.claims.is_empty() {
                    return;
                }
                let claimed = self.claims.remove(which % self.claims.len());
                assert!(tx.end_attempt("me", &claimed, 1, None, None, end).await.unwrap());
                tx.note_endpoint(&claimed.url, heard, i64::MAX).await.unwrap();
                let message = self.at(&claimed.id);
                message.state = match end {
                    DeliveryEnd::Delivered => DeliveryState::Delivered,
                    DeliveryEnd::Dead => DeliveryState::Dead,
                    DeliveryEnd::Again(_) => DeliveryState::Pending,
                };
                message.manual = false;
                message.attempts += 1;
                let endpoint = message.endpoint;
                self.known[endpoint] = true;
                self.off[endpoint] |= heard == Heard::Gone;
            }
            Act::Hold => {
                let held = tx.hold_deliveries(100).await.unwrap().len();
                let off = self.off;
                let is_held = |one: &&mut Message| one.state == DeliveryState::Pending && off[one.endpoint];
                let expected = self.messages.iter_mut().filter(is_held).map(|one| one.state = DeliveryState::Held);
                assert_eq!(held, expected.count());
            }
            Act::Switch(endpoint, on) => {
                let id = Endpoint::of(URLS[endpoint]).id;
                let state = if on { EndpointState::On } else { EndpointState::Off };
                assert_eq!(tx.switch_endpoint(&id, state).await.unwrap(), self.known[endpoint]);
                self.off[endpoint] = self.known[endpoint] && !on;
                if on {
                    let released = tx.release_deliveries(&id).await.unwrap();
                    let is_released = |one: &&mut Message| one.endpoint == endpoint && one.state == DeliveryState::Held;
                    let expected = self.messages.iter_mut().filter(is_released);
                    assert_eq!(released, expected.map(|one| one.state = DeliveryState::Pending).count() as u64);
                }
            }
            Act::Redeliver(which) => {
                if self.messages.is_empty() {
                    return;
                }
                let which = which % self.messages.len();
                let message = &mut self.messages[which];
                let may = message.state != DeliveryState::Sending;
                assert_eq!(tx.redeliver(&message.id).await.unwrap(), may);
                if may {
                    message.manual |= matches!(message.state, DeliveryState::Delivered | DeliveryState::Dead);
                    message.state = DeliveryState::Pending;
                }
            }
            Act::Requeue => {
                assert_eq!(tx.requeue_deliveries(false).await.unwrap(), self.claims.len() as u64);
                for claimed in std::mem::take(&mut self.claims) {
                    self.at(&claimed.id).state = DeliveryState::Pending;
                    self.stale.push(claimed);
                }
            }
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    let end = prop_oneof![
        3 => Just((DeliveryEnd::Delivered, Heard::Taken)),
        3 => Just((DeliveryEnd::Again(0), Heard::Failed)),
        1 => Just((DeliveryEnd::Dead, Heard::Failed)),
        1 => Just((DeliveryEnd::Dead, Heard::Gone)),
    ];
    prop_oneof![
        4 => (0..3_usize).prop_map(Act::Write),
        5 => Just(Act::Claim),
        4 => (any::<usize>(), end).prop_map(|(which, (end, heard))| Act::End(which, end, heard)),
        1 => Just(Act::Hold),
        1 => (0..3_usize, any::<bool>()).prop_map(|(endpoint, on)| Act::Switch(endpoint, on)),
        1 => any::<usize>().prop_map(Act::Redeliver),
        1 => Just(Act::Requeue),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_lost_and_no_receiver_has_too_much(acts in proptest::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (bench, mut model) = (Bench::new().await, Model::default());
            for act in acts {
                let tx = bench.store().begin().await.unwrap();
                model.play(&bench, &tx, act).await;
                tx.commit().await.unwrap();
            }
            for message in &model.messages {
                let delivery = bench.get(&message.id).await;
                let is = (delivery.state, delivery.attempts.len());
                assert_eq!(is, (message.state, message.attempts), "{}", message.id);
            }
        });
    }
}
