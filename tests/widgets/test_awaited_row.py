"""A row that the cursor was on is waited for, and the cursor is whose who moves it."""

from __future__ import annotations

from tests.widgets.test_live_table import Host, hosts, on_stage, table_of
from widgets.live_table import LiveTable


def stands(table: LiveTable[Host]) -> str:
    return str(table.cursor_key)


async def test_a_key_is_waited_for_until_its_row_comes_or_somebody_moves() -> None:
    app, made = on_stage(lambda: table_of(hosts(3)))
    async with app.run_test(size=(40, 6)) as pilot:
        table = made[0]
        assert table.kept_key == "", "nobody has put the cursor anywhere"
        table.await_key("host-020")
        assert (table.cursor_key, table.kept_key) == ("host-000", "host-020")
        table.set_rows(hosts(40))
        await table.settled()
        assert (table.cursor_key, table.kept_key) == ("host-020", "host-020")
        assert round(table.scroll_y) > 0, "it is in sight"
        table.action_first()
        table.await_key("host-050")
        await pilot.press("j")
        table.set_rows(hosts(60))
        await table.settled()
        assert stands(table) == "host-001", "whoever moves it has it"
        table.action_first()
        table.await_key("host-070")
        table.await_key("")
        table.set_rows(hosts(80))
        await table.settled()
        assert stands(table) == "host-000", "it is waited for no more"
