//! Runs a dev server until ctrl-c: `--api HOST:PORT --ws HOST:PORT --data DIR --secret S`. Prints its addresses as JSON.
#![allow(clippy::print_stdout)]

use std::error::Error;

use openim_devserver::{Config, DevServer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--api" => (config.host, config.api_port) = address(&value)?,
            "--ws" => (config.host, config.ws_port) = address(&value)?,
            "--data" => config.data_dir = Some(value.into()),
            "--secret" => config.secret = value,
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    let server = DevServer::start(config).await?;
    println!("{}", serde_json::to_string(server.addresses())?);
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}

fn address(text: &str) -> Result<(String, u16), Box<dyn Error>> {
    let (host, port) = text.rsplit_once(':').ok_or_else(|| format!("{text} is not HOST:PORT"))?;
    Ok((host.to_owned(), port.parse()?))
}
