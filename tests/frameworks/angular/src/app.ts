import { Component, CUSTOM_ELEMENTS_SCHEMA } from '@angular/core';
import 'antiphon/player';

@Component({
  selector: 'app-root',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: '<antiphon-player src="/sample/index.m3u8" />',
})
export class App {}
