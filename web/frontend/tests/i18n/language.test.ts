import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CATALOGUES, chosenLanguage, Language, minutes, type Key } from "../../src/i18n/language";

const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const keys = Object.keys(CATALOGUES.en) as Key[];

describe("both catalogues", () => {
  test("have the same keys", () => {
    expect(Object.keys(CATALOGUES.zh).sort()).toEqual([...keys].sort());
  });

  test.each(keys)("%s says something in both, with the same gaps", (key) => {
    expect(CATALOGUES.en[key].trim()).not.toBe("");
    expect(CATALOGUES.zh[key].trim()).not.toBe("");
    expect(gaps(CATALOGUES.zh[key])).toEqual(gaps(CATALOGUES.en[key]));
  });

  test("hold nothing that no view uses", () => {
    const src = join(import.meta.dirname, "../../src");
    const code = readdirSync(src, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file) && !file.startsWith("i18n"))
      .map((file) => readFileSync(join(src, file), "utf8"))
      .join("\n");
    // Keys that are made at run time are known by how they begin.
    const made = [...code.matchAll(/`([\w.]+[._])\$\{/g)].map(([, start]) => start ?? "");
    const used = (key: string) => code.includes(`"${key}"`) || made.some((start) => key.startsWith(start));
    expect(keys.filter((key) => !used(key) && !used(key.replace(/\.detail$/, "")))).toEqual([]);
  });
});

describe("which language", () => {
  test.each([
    ["?lang=zh", "en", ["en"], "zh"],
    ["?lang=zh-CN", null, [], "zh"],
    ["?lang=fr", "zh", ["en-US"], "en"],
    ["", "zh", ["en"], "zh"],
    ["", null, ["fr", "zh-TW"], "zh"],
    ["", null, ["fr"], "en"],
  ])("%s, %s, %o: %s", (query, stored, preferred, code) => {
    expect(chosenLanguage(query, stored, preferred)).toBe(code);
  });
});

describe("texts and numbers", () => {
  const [en, zh] = [new Language("en"), new Language("zh")];

  test("gaps are filled in, and a missing one stays visible", () => {
    expect(en.t("control.held", { name: "Li Na" })).toBe("Li Na has control");
    expect(en.t("control.held")).toContain("{name}");
    expect(en.maybe("code.nonsense")).toBeNull();
  });

  test("a bench's text falls back to the other language", () => {
    expect(zh.text({ en: "Lamp", zh: "灯泡" })).toBe("灯泡");
    expect(zh.text({ en: "Lamp", zh: "" })).toBe("Lamp");
  });

  test("quantities bear their unit", () => {
    expect(en.quantity(-3.3, 2, "V")).toBe("−3.30\u202fV");
    expect(en.quantity(30, 1, "°")).toBe("30.0°");
    expect(en.quantity(2, 0, "")).toBe("2");
    expect(en.live(1234.5, "Hz")).toBe("1.235\u202fkHz");
    expect(en.exact(1234.5, "Hz")).toBe("1.2345\u202fkHz");
    expect(en.prefixed(0.0002, "s")).toBe("200\u202fµs");
  });

  test("spans as minutes and seconds", () => {
    expect([minutes(-5), minutes(59_001), minutes(600_000), minutes(3_725_000)]).toEqual([
      "0:00",
      "1:00",
      "10:00",
      "1:02:05",
    ]);
  });
});
