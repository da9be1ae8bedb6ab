//! Bringing a protocol and making it the active one: never by the same person, and never without a backtest.

use lasegue_platform::store::{AsStoreError, Store, StoreError, Unit, retry_conflicts};
use lasegue_protocol::assessment::ProtocolRef;
use lasegue_protocol::{LoadFault, Protocol};
use lasegue_values::{Printout, may_be_one};

use crate::reassess;
use crate::store::protocols::{self, Model, State};

/// Why a protocol was not taken or activated. The active one goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActivationError {
    /// It does not load.
    #[error("the protocol has faults: mend each and bring it again")]
    Unsound(Vec<LoadFault>),
    /// Nobody brought it.
    #[error("no protocol has this hash: bring it first")]
    Unknown,
    /// Its author approves it, or somebody whose name looks like the author's.
    #[error(
        "a protocol's author cannot activate it, nor a name that looks like the author's: ask another protocol owner"
    )]
    OwnWork,
    /// There is nothing to do.
    #[error("this protocol is the active one already")]
    ActiveAlready,
    /// The approver shows no backtest.
    #[error(
        "must hold what `lasegue protocol backtest` printed, in at most 20000 characters and without control characters"
    )]
    NoBacktest,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for ActivationError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Keeps a protocol that loads. What is there already stays its first author's.
pub(crate) async fn bring(store: &Store, author: String, toml: String) -> Result<ProtocolRef, ActivationError> {
    let protocol = Protocol::load(&toml).map_err(ActivationError::Unsound)?;
    let reference = protocol.reference().clone();
    let ProtocolRef { id, version, sha256 } = reference.clone();
    store
        .commit::<_, StoreError, _>(move |unit| {
            Box::pin(async move {
                let stored_at = unit.now();
                let (state, approved_by, activated_at) = (State::Stored, None, None);
                let row = Model { sha256, id, version, toml, author, state, stored_at, approved_by, activated_at };
                protocols::keep(unit.db(), row).await?;
                Ok(())
            })
        })
        .await?;
    Ok(reference)
}

/// Makes a protocol the active one and lets every episode be evaluated again.
pub(crate) async fn activate(
    store: &Store,
    sha256: String,
    approver: String,
    backtest: String,
) -> Result<(), ActivationError> {
    let backtest: String = Printout::parse(&backtest).map_err(|_| ActivationError::NoBacktest)?.into();
    retry_conflicts(|| {
        let (sha256, approver, backtest) = (sha256.clone(), approver.clone(), backtest.clone());
        store.commit(move |unit| Box::pin(activate_in(unit, sha256, approver, backtest)))
    })
    .await
}

async fn activate_in(
    unit: &mut Unit,
    sha256: String,
    approver: String,
    backtest: String,
) -> Result<(), ActivationError> {
    let row = protocols::hold(unit, &sha256).await?.ok_or(ActivationError::Unknown)?;
    if may_be_one(&row.author, &approver) {
        return Err(ActivationError::OwnWork);
    }
    if row.state == State::Active {
        return Err(ActivationError::ActiveAlready);
    }
    // It was sound when it was brought, perhaps to another version of this program.
    Protocol::load(&row.toml).map_err(ActivationError::Unsound)?;
    protocols::activate(unit, row, approver, backtest).await?;
    reassess::begin(unit, &sha256).await?;
    tracing::warn!(sha256, "another protocol is active now: every episode is evaluated again");
    Ok(())
}
