// Child process: holds a database open until it is killed.
import { OpenIM } from 'openim-node';

process.once('message', async ({ config, login }) => {
  const client = await OpenIM.open(config);
  await client.login(login);
  process.send('holding');
});
