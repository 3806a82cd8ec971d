// A plain web server, for frameworks that write pages while they are built: `node static.mjs FOLDER PORT`, with the policy `POLICY`.

import { serveFolders } from '../../e2e/lab/folder.mjs';

const [folder = '', port] = process.argv.slice(2);
await serveFolders([folder], process.env.POLICY ?? '', {}, Number(port));
