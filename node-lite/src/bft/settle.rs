//! What the ledger reports, and which blocks are settled by it. Source: PROTOCOL A1.18, A1.22.

use super::{Bft, MAX_RECENT, Output, Settled, tree::Status};
use antiphon_core::{id::BlockId, time::Moment};

impl Bft {
    pub(super) fn on_executed(
        &mut self,
        now: Moment,
        id: BlockId,
        valid: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(entry) = self.tree.entry_mut(&id) else { return };
        if entry.status != Status::Checking {
            return;
        }
        entry.status = if valid { Status::Valid } else { Status::Invalid };
        let epoch = entry.block.signed.header.epoch;
        let certified = self.tree.certificate(&id).is_some();
        if !valid {
            if certified {
                // A quorum executed this block with another result: one of us computes wrongly.
                self.halt(id, id, out);
            }
            return;
        }
        if certified && epoch > self.record.epoch {
            self.enter(now, epoch, out);
        }
        self.try_vote(&id, out);
        self.promote(out);
        self.settle(now, out);
    }

    /// A1.18: settles A and its ancestors iff a child B of A carries CC(A) and B is certified.
    ///
    /// One input may call it more than once; above the end of the term there is nothing to settle (A1.22).
    pub(super) fn settle(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.ended {
            return;
        }
        let height = self.tree.root().height;
        let certified = self.tree.certificates().filter_map(|certificate| {
            let child = self.tree.entry(&certificate.block)?;
            let header = &child.block.signed.header;
            let parent = self.tree.header(&header.parent)?;
            let direct = header.hcc.block == header.parent && parent.height > height;
            // The state of A must be known here, and B must not contradict this node's own execution.
            let known = self.tree.is_valid(&header.parent) && child.status != Status::Invalid;
            (direct && known).then_some((parent.height, header, certificate))
        });
        let Some((_, child, above)) = certified.max_by_key(|(height, _, _)| *height) else {
            return;
        };
        let (certificate, above) = (child.hcc.clone(), above.clone());
        let Some(path) = self.tree.path(&child.parent) else { return };
        let path = self.within_term(&path).to_vec();
        let closing = path.first().and_then(|last| self.closing(last, &above));
        let blocks = self.tree.settle(&path);
        if let Some((_, last)) = blocks.last() {
            self.settled_epoch = last.signed.header.epoch;
            self.votes.settle(last.height());
        }
        for (id, block) in &blocks {
            self.kept.remove(id);
            self.recent.push_back((block.height(), *id));
        }
        while self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
        let tree = &self.tree;
        self.kept.retain(|id| tree.entry(id).is_some());
        self.root_seen = now;
        out.push(Output::Settled(Box::new(Settled { blocks, certificate })));
        match closing {
            Some(closing) => self.end(closing, out),
            None => self.ask_on(now, out),
        }
    }
}
