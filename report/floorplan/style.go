package floorplan

// style is the map's style sheet: one for paper and bright screens, and what is
// different on dark ones. Colours keep a contrast of 4.5 to 1 for text and 3 to 1
// for lines (WCAG 2.2, 1.4.3 and 1.4.11).
const style = `
text{font-family:"Segoe UI","Helvetica Neue",Arial,"Liberation Sans",sans-serif;font-size:12px;fill:#1d2733}
.mono{font-family:"Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:10.5px}
.title{font-size:27px;font-weight:600}
.sub{font-size:13px;fill:#566270}
.head{font-size:11px;font-weight:700;letter-spacing:.09em;fill:#566270}
.name{font-size:14.5px;font-weight:700}
.mid{font-size:12.5px;font-weight:600}
.small{font-size:10.5px;fill:#566270}
.tiny{font-size:9.5px;fill:#3f4b59}
.end{text-anchor:end}
.center{text-anchor:middle}
.paper{fill:#faf9f6}
.room{fill:#fff;stroke:#2f3b4a;stroke-width:2.5}
.ghost{fill:none;stroke:#7b8794;stroke-width:1.5;stroke-dasharray:6 4}
.subnet{fill:#f3f1ec;stroke:#cdc7bb}
.subnet.ghost{fill:none;stroke:#9aa5b1}
.chip{fill:#fff;stroke:#c9c3b6}
.box{fill:#fff;stroke:#8b95a1;stroke-width:1.25}
.panel{fill:#fff;stroke:#d9d4c9}
.rule{stroke:#e6e1d6}
.badge{fill:#2f3b4a}
.onbadge{fill:#fff;font-size:11px;font-weight:700;text-anchor:middle}
.pill{fill:#fff;stroke:#aab3bd}
.icon{fill:none;stroke:#44515f;stroke-width:1.4;stroke-linejoin:round;stroke-linecap:round}
.wire{fill:none;stroke-linejoin:round;stroke-linecap:butt}
.under{fill:none;stroke:#faf9f6;stroke-width:5}
.peer{stroke:#2f3b4a;stroke-width:3.2}
.bad{stroke:#a65300;stroke-width:2.4;stroke-dasharray:9 6}
.cross{stroke:#a65300;stroke-width:2.4}
.link{stroke-width:1.7}
.pending{stroke-dasharray:4 3}
.way{stroke:#66717e;stroke-width:1.4;stroke-dasharray:2 3}
.flow{stroke:#c4231c;stroke-width:2.2}
.doubt{stroke:#a65300;stroke-dasharray:7 4}
.dot{stroke:none}
.learning{stroke:#6a4aa5}.storage{stroke:#11708f}.registry{stroke:#9c4f10}.secrets{stroke:#756300}.data{stroke:#24724a}.monitoring{stroke:#4b6584}.other{stroke:#6b7280}
.dot.learning,.bar.learning{fill:#6a4aa5}.dot.storage,.bar.storage{fill:#11708f}.dot.registry,.bar.registry{fill:#9c4f10}.dot.secrets,.bar.secrets{fill:#756300}.dot.data,.bar.data{fill:#24724a}.dot.monitoring,.bar.monitoring{fill:#4b6584}.dot.other,.bar.other{fill:#6b7280}
.bar{stroke:none}
.closed{fill:#e4f1e8;stroke:#1c6b3c}.selected{fill:#fdf0d8;stroke:#8a5a00}.open{fill:#fde5df;stroke:#b3361b}.unknown{fill:none;stroke:#7b8794;stroke-dasharray:3 2}
.tclosed{fill:#15552f}.tselected{fill:#6e4700}.topen{fill:#932810}.tunknown{fill:#566270}
.fall{fill:#c4231c}.doubtful{fill:#a65300}
.ring{fill:none;stroke:#c4231c;stroke-width:2.2}
.ring.unsure{stroke:#a65300}
.tfall{fill:#b01d17;font-weight:600}.thold{fill:#15552f;font-weight:600}.tdoubt{fill:#8a4500;font-weight:600}
.arrow{fill:#c4231c}.arrow.unsure{fill:#a65300}
@media (prefers-color-scheme:dark){
text{fill:#e6e9ee}
.sub,.head,.small{fill:#a3aebb}.tiny{fill:#c3cad3}
.paper{fill:#14181d}.under{stroke:#14181d}
.room{fill:#1c222a;stroke:#a9b5c2}.ghost{stroke:#7f8b98}.subnet{fill:#252c35;stroke:#45505d}.chip{fill:#1a2027;stroke:#4a5664}
.subnet.ghost{fill:none}
.box,.panel,.pill{fill:#1c222a;stroke:#55616f}.rule{stroke:#333c47}
.badge{fill:#c6d0db}.onbadge{fill:#14181d}
.icon{stroke:#b4bfcb}
.peer{stroke:#c6d0db}.bad,.cross{stroke:#e8a04c}.way{stroke:#94a0ad}
.learning{stroke:#b39ae6}.storage{stroke:#5cc0de}.registry{stroke:#e0985c}.secrets{stroke:#cdb84a}.data{stroke:#6cc493}.monitoring{stroke:#96b0d0}.other{stroke:#a8b0bb}
.dot.learning,.bar.learning{fill:#b39ae6}.dot.storage,.bar.storage{fill:#5cc0de}.dot.registry,.bar.registry{fill:#e0985c}.dot.secrets,.bar.secrets{fill:#cdb84a}.dot.data,.bar.data{fill:#6cc493}.dot.monitoring,.bar.monitoring{fill:#96b0d0}.dot.other,.bar.other{fill:#a8b0bb}
.dot,.bar{stroke:none}
.closed{fill:#17301f;stroke:#6cc493}.selected{fill:#352a12;stroke:#dfb158}.open{fill:#3b1c15;stroke:#f0866b}
.tclosed{fill:#9fdcb8}.tselected{fill:#efcf8e}.topen{fill:#f7b09d}.tunknown{fill:#a3aebb}
.flow{stroke:#ff6b61}.doubt{stroke:#e8a04c}.fall{fill:#ff6b61}.doubtful{fill:#e8a04c}.ring{stroke:#ff6b61}.ring.unsure{stroke:#e8a04c}
.tfall{fill:#ff8a82}.thold{fill:#9fdcb8}.tdoubt{fill:#efb878}.arrow{fill:#ff6b61}.arrow.unsure{fill:#e8a04c}
.onfall{fill:#14181d}
}
`
