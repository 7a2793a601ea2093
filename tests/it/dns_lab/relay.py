"""Passes connections on: `relay.py LISTEN TARGET`, each an `ip:port` or the path of a Unix socket.

A Unix socket is seen from every network namespace, so two of these lead from one into another.
"""

import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def main(listen, target):
    async def passed_on(reader, writer):
        try:
            far_reader, far_writer = await (
                asyncio.open_unix_connection(target) if "/" in target else asyncio.open_connection(*target.split(":"))
            )
        except OSError as error:
            print(f"relay.py: {target}: {error}", file=sys.stderr)
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        writer.close()
        far_writer.close()

    if "/" in listen:
        server = await asyncio.start_unix_server(passed_on, listen)
    else:
        server = await asyncio.start_server(passed_on, *listen.split(":"))
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
