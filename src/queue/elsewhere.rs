//! What other nodes can do.

use super::Queue;
use crate::{
    domain::{Lane, NodeState},
    error::Result,
    store::Node,
};

/// What stands for every model in a node's list.
const ANY: &str = "*";

impl Queue {
    /// Whether another node recognises with the model of this name, in any spelling of capitals. `is_known` says that there
    /// is such a model at all: then a node that takes any counts, too.
    pub async fn is_model_elsewhere(&self, name: &str, is_known: bool) -> Result<bool> {
        if self.store.is_exclusive() {
            return Ok(false);
        }
        let is_it = |model: &String| model.eq_ignore_ascii_case(name) || (is_known && model == ANY);
        let nodes = self.store.nodes(self.lease_ms()).await?;
        Ok(nodes.iter().any(|node| self.may_recognise(node) && node.said.models.iter().any(is_it)))
    }

    fn may_recognise(&self, node: &Node) -> bool {
        let is_other = node.said.id != self.owner() && node.state != NodeState::Lost;
        is_other && node.said.lanes.iter().any(|load| load.lane == Lane::Gpu)
    }
}
