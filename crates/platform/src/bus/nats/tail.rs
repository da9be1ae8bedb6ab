//! Whether a stream still ends with what is known of it.

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use lasegue_contracts::envelope::header;

use super::connection::refused;
use crate::bus::{BusError, Handled, Tail};

/// What `stream` has in the place of `last`.
pub(super) async fn look_up(stream: &Stream, last: Handled) -> Result<Tail, BusError> {
    match stream.get_raw_message(last.place).await {
        Ok(found) => {
            let id = found.headers.get(header::ID).map(async_nats::HeaderValue::as_str);
            Ok(if id == Some(last.event.to_string().as_str()) { Tail::Kept } else { Tail::Lost })
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
            let now = stream.get_info().await.map_err(refused)?;
            Ok(if last.place < now.state.first_sequence { Tail::LetGo } else { Tail::Lost })
        }
        Err(error) => Err(refused(error)),
    }
}
