//! Waveforms: made once for each file, gone with the media.

use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::{
    Store, Tx,
    entities::{
        media,
        waveform::{ActiveModel, Column, Entity},
    },
};
use crate::{domain::MediaId, error::Result};

impl Tx {
    /// Keeps how loud a media's file with this hash is, 0 to 32,768 over time, unless the media is gone.
    pub async fn put_waveform(&self, media: MediaId, sha256: &str, levels: &[u16]) -> Result<()> {
        if media::Entity::find_by_id(media.0).one(&self.inner).await?.is_none() {
            return Ok(());
        }
        let model = ActiveModel {
            media_id: Set(media.0),
            sha256: Set(sha256.to_owned()),
            levels: Set(levels.iter().flat_map(|level| level.to_le_bytes()).collect()),
        };
        let newer = OnConflict::column(Column::MediaId).update_columns([Column::Sha256, Column::Levels]).to_owned();
        Entity::insert(model).on_conflict(newer).exec_without_returning(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// How loud a media's file is, if that was found out for the file with this hash.
    pub async fn waveform(&self, media: MediaId, sha256: &str) -> Result<Option<Vec<u16>>> {
        let row = Entity::find_by_id(media.0).one(&self.read).await?.filter(|row| row.sha256 == sha256);
        let level = |bytes: &[u8]| bytes.iter().rev().fold(0, |level, byte| level << 8 | u16::from(*byte));
        Ok(row.map(|row| row.levels.chunks(2).map(level).collect()))
    }
}
