//! How payment fields add up: beside each other on this machine, and a thousand of them in the simulator.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{lines, number};
use crate::process::{cargo, command, run, target_dir};
use crate::step::step;

/// The section's title.
pub(super) const TITLE: &str = "## How payment fields add up";
/// What the whitepaper promises of payment fields together. Source: seed ALZA, "millions of transactions in one second".
const PROMISED: f64 = 1_000_000.0;
/// Fields of the simulation, and payments of each. The seed is 1.
const SIMULATED: [&str; 3] = ["1", "1000", "256"];
/// Bytes of a voucher of others, by FIELD-NOTES.
const OTHERS: &str = "µRaiden about 113, Theta about 144, for a voucher to one payee";

/// The lines of one run.
struct Measured {
    beside: Vec<Value>,
    simulated: Value,
}

/// Runs fields on all cores, then a thousand in the simulator; returns the section without its title.
///
/// # Errors
///
/// A build or a run fails.
pub(super) fn measure() -> Result<String> {
    step("building fields beside each other", || {
        run(cargo().args(["build", "--release", "--package", "antiphon-bench"]))?;
        let mut simulation = cargo();
        simulation.args(["build", "--release", "--package", "antiphon-tests"]);
        run(simulation.args(["--example", "fields"]))
    })?;
    let beside = step("letting fields run beside each other", || {
        lines(command(target_dir().join("release/antiphon-bench")).arg("fields"))
    })?;
    let simulated = step("simulating a thousand fields", || {
        lines(command(target_dir().join("release/examples/fields")).args(SIMULATED))
    })?;
    let simulated = simulated.into_iter().next().context("no line from fields")?;
    Measured { beside, simulated }.section()
}

impl Measured {
    fn section(&self) -> Result<String> {
        let mut out = String::new();
        self.write_beside(&mut out)?;
        self.write_simulated(&mut out)?;
        self.write_paper(&mut out)?;
        Ok(out)
    }

    fn write_beside(&self, out: &mut String) -> Result<()> {
        let members = number(self.beside.first().context("no fields were measured")?, "members")?;
        write!(
            out,
            "Independent fields of {members:.0} members, all members' work done here, their messages and writes handed over in\n\
             memory. The limit is the bare signatures and `verify_strict` that the rules demand of these payments, on the same\n\
             threads in the same run. *times* is over one field.\n\n\
             | fields | threads | payments | times one field | limit | times one limit | share of the limit |\n\
             |---|---|---|---|---|---|---|\n",
        )?;
        for line in &self.beside {
            let of = |field| number(line, field);
            let (rate, limit) = (of("perSecond")?, of("barePerSecond")?);
            writeln!(
                out,
                "| {:.0} | {:.0} | {rate:.0}/s | {:.2} | {limit:.0}/s | {:.2} | {:.0} % |",
                of("fields")?,
                of("threads")?,
                of("times")?,
                of("bareTimes")?,
                rate / limit * 100.0,
            )?;
        }
        Ok(())
    }

    fn write_simulated(&self, out: &mut String) -> Result<()> {
        let of = |field| number(&self.simulated, field);
        let (fields, payments, rounds) = (of("fields")?, of("payments")?, of("rounds")?);
        let (members, transactions) = (of("members")?, of("transactions")?);
        let (bytes, told) = (of("bytes")?, of("toldBytes")? / of("told")?);
        let (micros, bare) = (of("micros")?, of("bareMicros")?);
        write!(
            out,
            "\n{fields:.0} fields in the simulator, 2 to 10 members each, real machines on a network and disks that take time;\n\
             every field is closed by all, and every account is what was paid to it, to the unit. Rounds are of 64 payments at\n\
             most. The processor time has network, disks, chain and the watch for broken rules in it.\n\n\
             | what | measured | beside |\n|---|---|---|\n\
             | payments committed | {payments:.0} | {members:.0} members, {rounds:.0} rounds |\n\
             | bytes in which a payer tells a payment | {told:.0} | {OTHERS} |\n\
             | bytes of a payment, all that all members say to each other | {:.0} | {:.0} said by one member |\n\
             | processor time of a payment, all members and the simulator | {micros:.0} µs | {bare:.0} µs its share of bare signatures and checks: {:.2} |\n\
             | payments in a second on one core, all members and the simulator | {:.0}/s | {:.0}/s by signatures alone |\n\
             | transactions on the chain | {transactions:.0} | {payments:.0} if each payment were one |\n\
             | transactions for a million payments | {:.0} | {:.0} for a field that carries a million |\n",
            bytes / payments,
            bytes / payments / (members / fields),
            micros / bare,
            1e6 / micros,
            1e6 / bare,
            transactions / payments * 1e6,
            transactions / fields,
        )?;
        Ok(())
    }

    /// What the promise would take, by the rates above.
    fn write_paper(&self, out: &mut String) -> Result<()> {
        let first = self.beside.first().context("no fields were measured")?;
        let (members, rate) = (number(first, "members")?, number(first, "perSecond")?);
        let limit = number(first, "barePerSecond")?;
        let fields = number(&self.simulated, "fields")?;
        let devices = number(&self.simulated, "members")?;
        let simulated = 1e6 / number(&self.simulated, "micros")?;
        write!(
            out,
            "\nOn paper, the whitepaper's \"millions of transactions in one second\": {PROMISED:.0} payments in a second take\n\
             {:.0} cores with all members' work, {:.0} if nothing but signatures cost anything. Members bring their own:\n\
             {members:.0} cores of a field's members make {:.0} payments in a second if their work is spread evenly, so the\n\
             promise takes {:.0} such fields. At the simulator's processor time, {:.0} cores make it; the {fields:.0} fields above, with\n\
             a core for each of their {devices:.0} members, make {:.0} payments in a second. Ticks to one payee take a hash each, and\n\
             one core for the whole promise.\n",
            (PROMISED / rate).ceil(),
            (PROMISED / limit).ceil(),
            rate * members,
            (PROMISED / (rate * members)).ceil(),
            (PROMISED / simulated).ceil(),
            simulated * devices,
        )?;
        Ok(())
    }
}
