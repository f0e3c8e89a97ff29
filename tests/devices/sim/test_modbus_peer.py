"""Another implementation of Modbus, pymodbus's client, talks to the simulated motor."""

from __future__ import annotations

from pathlib import Path

from pymodbus.client import AsyncModbusSerialClient

from devices.sim.bench import start_simulation


async def test_pymodbus_reads_writes_and_is_refused(tmp_path: Path) -> None:
    async with start_simulation("motor", tmp_path) as bench:
        client = AsyncModbusSerialClient(bench["motor"], baudrate=115_200, timeout=20)
        assert await client.connect()
        try:
            written = await client.write_registers(2, [0x40C0, 0x0000], device_id=1)
            assert not written.isError()
            assert not (await client.write_register(0, 1, device_id=1)).isError()
            assert (await client.read_holding_registers(2, count=2, device_id=1)).registers == [0x40C0, 0x0000]
            assert (await client.read_input_registers(8, count=1, device_id=1)).registers == [0]
            assert (await client.read_holding_registers(99, count=1, device_id=1)).exception_code == 2
        finally:
            client.close()
